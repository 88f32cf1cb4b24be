using System.Text;
using Mcp.Guard.Unicode;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Reads a <c>file:</c> URI (RFC 8089) into a path, decoded exactly once, and refuses every spelling that two programs read differently.</summary>
internal static class FileUriPath
{
    /// <summary>True where the text starts like a file URI, in any case.</summary>
    public static bool HasScheme(ReadOnlySpan<char> text) => text.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// A text as readers of URLs take it: without control characters and blanks in front, without tabs and line ends anywhere (WHATWG URL, basic URL
    /// parser). It tells what a text may be taken for; <see cref="TryRead"/> refuses all of these.
    /// </summary>
    public static string AsUrl(string text)
    {
        int start = 0;
        while (start < text.Length && text[start] <= ' ')
        {
            start++;
        }

        string rest = text[start..];
        return rest.AsSpan().ContainsAny('\t', '\n', '\r') ? string.Concat(rest.Split('\t', '\n', '\r')) : rest;
    }

    /// <summary>True where <see cref="AsUrl"/> starts like a file URI with a slash; looks no further than it must, since any text may be asked about.</summary>
    public static bool StartsRooted(ReadOnlySpan<char> text)
    {
        ReadOnlySpan<char> rooted = "file:/";
        int taken = 0;
        foreach (char c in text)
        {
            bool dropped = c is '\t' or '\n' or '\r' || (taken == 0 && c <= ' ');
            if (!dropped && char.ToLowerInvariant(c) != rooted[taken])
            {
                return false;
            }

            taken += dropped ? 0 : 1;
            if (taken == rooted.Length)
            {
                return true;
            }
        }

        return false;
    }

    public static bool TryRead(string uri, PathFlavor flavor, out string path, out PathDenial denial)
    {
        path = string.Empty;
        if (!HasScheme(uri))
        {
            denial = string.IsNullOrWhiteSpace(uri) ? PathDenial.Empty : PathDenial.NotAFileUri;
            return false;
        }

        ReadOnlySpan<char> rest = uri.AsSpan(5);
        foreach (char c in rest)
        {
            if (c is '?' or '#')
            {
                denial = PathDenial.UriQueryOrFragment;
                return false;
            }

            if (c is '\\' or ' ' || TextHazards.IsControl(c) || char.IsWhiteSpace(c))
            {
                denial = PathDenial.UriPath;
                return false;
            }
        }

        ReadOnlySpan<char> host = [];
        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            rest = rest[2..];
            int end = rest.IndexOf('/');
            host = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[end..];
        }

        if (rest.IsEmpty || rest[0] != '/')
        {
            denial = PathDenial.UriPath;
            return false;
        }

        bool local = host.IsEmpty || host.Equals("localhost", StringComparison.OrdinalIgnoreCase);
        if (!local && (flavor == PathFlavor.Unix || !IsShareHost(host)))
        {
            denial = PathDenial.UriAuthority;
            return false;
        }

        if (!TryDecode(rest, out string decoded))
        {
            denial = PathDenial.UriEscape;
            return false;
        }

        if (decoded.StartsWith("//", StringComparison.Ordinal))
        {
            denial = PathDenial.UriPath;
            return false;
        }

        denial = default;
        if (flavor == PathFlavor.Unix)
        {
            path = decoded;
        }
        else if (local)
        {
            // "/C:/x" names C:\x; without a drive the rest stays rooted, which the path rules refuse.
            path = decoded.Length > 2 && decoded[2] == ':' ? decoded[1..] : decoded;
        }
        else
        {
            path = string.Concat(@"\\", host, decoded);
        }

        return true;
    }

    /// <summary>The file URI of an absolute normalised path, for <c>roots/list</c>.</summary>
    public static string Write(string path, PathFlavor flavor)
    {
        var uri = new StringBuilder("file://", path.Length + 16);
        ReadOnlySpan<char> rest = path;
        if (flavor == PathFlavor.Windows)
        {
            if (rest.StartsWith(@"\\", StringComparison.Ordinal))
            {
                rest = rest[2..];
            }
            else
            {
                uri.Append('/');
            }
        }

        Span<byte> bytes = stackalloc byte[4];
        foreach (Rune rune in rest.EnumerateRunes())
        {
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || "-._~!$&'()*+,=:@/".Contains((char)rune.Value)))
            {
                uri.Append((char)rune.Value);
            }
            else if (rune.Value == '\\' && flavor == PathFlavor.Windows)
            {
                uri.Append('/');
            }
            else
            {
                int length = rune.EncodeToUtf8(bytes);
                foreach (byte b in bytes[..length])
                {
                    uri.Append('%').Append(Convert.ToHexString([b]));
                }
            }
        }

        return uri.ToString();
    }

    /// <summary>A host that can be the first part of a share name; a drive, a port, a user or an escape cannot.</summary>
    private static bool IsShareHost(ReadOnlySpan<char> host)
    {
        foreach (char c in host)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            {
                return false;
            }
        }

        return host is not ("." or "..");
    }

    /// <summary>One round of percent-decoding, strict: every escape two digits, the bytes UTF-8, no separator and no NUL among them.</summary>
    private static bool TryDecode(ReadOnlySpan<char> text, out string decoded)
    {
        decoded = string.Empty;
        if (!text.Contains('%'))
        {
            decoded = text.ToString();
            return true;
        }

        var result = new StringBuilder(text.Length);
        var bytes = new byte[text.Length / 3];
        while (!text.IsEmpty)
        {
            int escape = text.IndexOf('%');
            result.Append(escape < 0 ? text : text[..escape]);
            if (escape < 0)
            {
                break;
            }

            text = text[escape..];
            int count = 0;
            while (!text.IsEmpty && text[0] == '%')
            {
                if (!PercentDecoding.TryReadByte(text, out int value) || value is 0 or '/' or '\\')
                {
                    return false;
                }

                bytes[count++] = (byte)value;
                text = text[3..];
            }

            if (!System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(0, count)))
            {
                return false;
            }

            result.Append(Encoding.UTF8.GetString(bytes, 0, count));
        }

        decoded = result.ToString();
        return true;
    }
}
