using System.Buffers.Text;
using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Judges images and audio by their first bytes: what is declared must be what is there, since a picture that is a page or a program is
/// opened by whatever shows it. Binary content is passed or refused, never altered.
/// </summary>
/// <param name="allowedTypes">MIME types without parameters; null for those that this check can tell.</param>
/// <param name="maxBytes">The most bytes of decoded content.</param>
internal sealed class MediaCheck(IEnumerable<string>? allowedTypes = null, long maxBytes = MediaCheck.DefaultMaxBytes)
{
    /// <summary>16 MiB.</summary>
    public const long DefaultMaxBytes = 16 * 1024 * 1024;

    /// <summary>How many decoded bytes the longest signature needs.</summary>
    private const int SignatureBytes = 48;

    /// <summary>SVG is left out on purpose: it is a document with scripts.</summary>
    private static readonly FrozenSet<string> KnownTypes = FrozenSet.ToFrozenSet(
        [
            "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif", "image/heic", "image/x-icon",
            "audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp3", "audio/ogg", "audio/flac", "audio/aac", "audio/mp4", "audio/webm", "audio/aiff",
        ],
        StringComparer.OrdinalIgnoreCase);

    private readonly FrozenSet<string> allowed = allowedTypes?.ToFrozenSet(StringComparer.OrdinalIgnoreCase) ?? KnownTypes;

    public static MediaCheck Default { get; } = new();

    /// <summary>The types that this check can tell, in ordinal order.</summary>
    public static IEnumerable<string> Types => KnownTypes.Order(StringComparer.Ordinal);

    /// <summary>Whether this check can tell a type, written in lower case.</summary>
    public static bool CanTell(string type) => KnownTypes.Contains(type) && !type.AsSpan().ContainsAnyInRange('A', 'Z');

    /// <summary>Judges the base64 text of an image or audio block.</summary>
    public MediaVerdict Judge(string? declaredType, ReadOnlySpan<char> base64)
    {
        string type = TypeOnly(declaredType);
        if (!allowed.Contains(type) || !KnownTypes.Contains(type))
        {
            return MediaVerdict.TypeNotAllowed;
        }

        MediaVerdict size = JudgeSize(base64);
        if (size != MediaVerdict.Matches)
        {
            return size;
        }

        Span<byte> head = stackalloc byte[SignatureBytes];
        return Matches(type, head[..DecodeHead(base64, head)]) ? MediaVerdict.Matches : MediaVerdict.Mismatch;
    }

    /// <summary>Judges the base64 text of a resource: one that declares itself as image or audio like a block of that kind, any other by its size alone.</summary>
    public MediaVerdict JudgeBlob(string? declaredType, ReadOnlySpan<char> base64)
    {
        string type = TypeOnly(declaredType);
        return type.StartsWith("image/", StringComparison.Ordinal) || type.StartsWith("audio/", StringComparison.Ordinal) ? Judge(type, base64) : JudgeSize(base64);
    }

    private MediaVerdict JudgeSize(ReadOnlySpan<char> base64) =>
        base64.Length / 4 * 3L > maxBytes + 3 ? MediaVerdict.TooLarge
        : !Base64.IsValid(base64, out int length) ? MediaVerdict.NotBase64
        : length > maxBytes ? MediaVerdict.TooLarge
        : MediaVerdict.Matches;

    /// <summary>Decodes the first bytes of text that is known to be base64, blanks in it left out.</summary>
    private static int DecodeHead(ReadOnlySpan<char> base64, Span<byte> head)
    {
        Span<char> plain = stackalloc char[SignatureBytes / 3 * 4];
        int length = 0;
        for (int i = 0; i < base64.Length && length < plain.Length; i++)
        {
            if (base64[i] > ' ')
            {
                plain[length++] = base64[i];
            }
        }

        return Convert.TryFromBase64Chars(plain[..length], head, out int written) ? written : 0;
    }

    /// <summary>The type in lower case, without parameters such as codecs.</summary>
    private static string TypeOnly(string? declared)
    {
        if (declared is null)
        {
            return string.Empty;
        }

        int parameters = declared.IndexOf(';', StringComparison.Ordinal);
        return (parameters < 0 ? declared : declared[..parameters]).Trim().ToLowerInvariant();
    }

    private static bool Matches(string type, ReadOnlySpan<byte> head) => type switch
    {
        "image/png" => head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]),
        "image/jpeg" => head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]),
        "image/gif" => head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8),
        "image/webp" => IsRiff(head, "WEBP"u8),
        "image/bmp" => head.StartsWith("BM"u8),
        "image/tiff" => head.StartsWith((ReadOnlySpan<byte>)[(byte)'I', (byte)'I', 0x2A, 0]) || head.StartsWith((ReadOnlySpan<byte>)[(byte)'M', (byte)'M', 0, 0x2A]),
        "image/avif" => IsBrand(head, "avif"u8) || IsBrand(head, "avis"u8),
        "image/heic" => IsBrand(head, "heic"u8) || IsBrand(head, "heix"u8) || IsBrand(head, "mif1"u8),
        "image/x-icon" => head.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0]),
        "audio/wav" or "audio/x-wav" => IsRiff(head, "WAVE"u8),
        "audio/mpeg" or "audio/mp3" => head.StartsWith("ID3"u8) || (head.Length > 1 && head[0] == 0xFF && (head[1] & 0xE0) == 0xE0 && (head[1] & 0x06) != 0),
        "audio/ogg" => head.StartsWith("OggS"u8),
        "audio/flac" => head.StartsWith("fLaC"u8),
        "audio/aac" => head.Length > 1 && head[0] == 0xFF && (head[1] & 0xF6) == 0xF0,
        "audio/mp4" => IsBrand(head, "M4A "u8) || IsBrand(head, "isom"u8) || IsBrand(head, "mp42"u8) || IsBrand(head, "mp41"u8) || IsBrand(head, "dash"u8),
        "audio/webm" => head.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]),
        "audio/aiff" => head.Length >= 12 && head.StartsWith("FORM"u8) && (head[8..12].SequenceEqual("AIFF"u8) || head[8..12].SequenceEqual("AIFC"u8)),
        _ => false,
    };

    private static bool IsRiff(ReadOnlySpan<byte> head, ReadOnlySpan<byte> form) => head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..12].SequenceEqual(form);

    /// <summary>The major brand of an ISO base media file (ISO/IEC 14496-12).</summary>
    private static bool IsBrand(ReadOnlySpan<byte> head, ReadOnlySpan<byte> brand) => head.Length >= 12 && head[4..8].SequenceEqual("ftyp"u8) && head[8..12].SequenceEqual(brand);
}
