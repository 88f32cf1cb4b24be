using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Cli.Replay;

/// <summary>
/// Tells whether recorded arguments are the ones that were judged. A record does not say how much of them it holds; but it holds a keyed digest over what was
/// judged, and the log's folder the key. Where the digest of what is recorded is the same, nothing was redacted or cut.
/// </summary>
internal sealed class RecordedArguments
{
    // The two ways in which a host's arguments become text: written out by the guard, and as a host that does not use the SDK gave them.
    private static readonly JsonWriterOptions[] Forms = [new() { MaxDepth = 128 }, new() { MaxDepth = 128, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }];

    private readonly AuditDigest? _digest;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <param name="folder">The folder of the log.</param>
    public RecordedArguments(string folder)
    {
        byte[] key = new byte[AuditDigest.KeyBytes + 1];
        try
        {
            using Stream stream = DiskAuditStorage.Instance.OpenRead(Path.Combine(folder, AuditLog.DigestKeyName));
            _digest = stream.ReadAtLeast(key, key.Length, throwOnEndOfStream: false) == AuditDigest.KeyBytes ? new(key.AsSpan(0, AuditDigest.KeyBytes)) : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            _digest = null;
        }
    }

    /// <summary>True where the log's folder holds the key of its digests, without which no arguments can be told to be whole.</summary>
    public bool HasKey => _digest is not null;

    /// <summary>The arguments as they were judged, or why they are not known.</summary>
    public string? TryRead(AuditRecord record, out JsonElement arguments)
    {
        arguments = default;
        if (record.Count > 1)
        {
            return "the calls were counted together, without their arguments";
        }

        if (record.ArgumentsDigest is null)
        {
            return record.Arguments.ValueKind == JsonValueKind.Undefined ? null : "the record has no digest of the arguments";
        }

        if (record.Arguments.ValueKind == JsonValueKind.Undefined)
        {
            return "the policy of then recorded no arguments";
        }

        if (_digest is null)
        {
            return $"without {AuditLog.DigestKeyName} in the log's folder it cannot be told whether the arguments are whole";
        }

        if (record.Arguments.ValueKind != JsonValueKind.Object || !IsWhole(record.Arguments, record.ArgumentsDigest))
        {
            return "the arguments are recorded redacted or cut";
        }

        arguments = record.Arguments;
        return null;
    }

    private bool IsWhole(JsonElement arguments, string digest)
    {
        if (Is(JsonMarshal.GetRawUtf8Value(arguments), digest))
        {
            return true;
        }

        foreach (JsonWriterOptions form in Forms)
        {
            _buffer.ResetWrittenCount();
            try
            {
                using var writer = new Utf8JsonWriter(_buffer, form);
                arguments.WriteTo(writer);
            }
            catch (Exception unwritable) when (unwritable is InvalidOperationException or ArgumentException)
            {
                return false; // a lone surrogate: the log writes none
            }

            if (Is(_buffer.WrittenSpan, digest))
            {
                return true;
            }
        }

        return false;
    }

    private bool Is(ReadOnlySpan<byte> text, string digest) => string.Equals(_digest!.Of(text), digest, StringComparison.Ordinal);
}
