using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Audit;

/// <summary>
/// Arguments and results as the policy lets them be recorded. It never throws: after a call ran, its outcome is recorded whatever it holds, and a value
/// that cannot be read leaves no trace of its content.
/// </summary>
/// <param name="digest">The keyed digest of the audit files, once they are open; without one a key of this process is used.</param>
/// <param name="redact">Replaces credentials and personal data; the built-in redactor where it is null.</param>
/// <param name="isHosts">Whether that runs code of the host.</param>
internal sealed class AuditContent(Func<AuditDigest?> digest, Func<JsonElement, JsonElement>? redact = null, bool isHosts = false) : IAuditContent
{
    private readonly AuditDigest _own = new(RandomNumberGenerator.GetBytes(AuditDigest.KeyBytes));
    private readonly Func<JsonElement, JsonElement> _redact = redact ?? Redact;

    public bool RunsHostCode(ContentRecording mode) => isHosts && mode == ContentRecording.Redacted;

    public JsonElement Record(JsonElement value, ContentRecording mode)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Undefined ? default
                : mode switch
                {
                    ContentRecording.Full => value,
                    ContentRecording.Redacted => Redacted(value),
                    ContentRecording.Shape => AuditContentShape.Of(value),
                    _ => default,
                };
        }
        catch (Exception)
        {
            return default;
        }
    }

    public string? Digest(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Undefined ? null : Digest(JsonMarshal.GetRawUtf8Value(value));
        }
        catch (Exception)
        {
            return null;
        }
    }

    public string? Digest(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return utf8.IsEmpty ? null : (digest() ?? _own).Of(utf8);
        }
        catch (Exception)
        {
            return null;
        }
    }

    private static JsonElement Redact(JsonElement value) =>
        JsonRedactor.Default.Redact(value) is { } redacted ? JsonDocument.Parse(redacted).RootElement : value;

    private JsonElement Redacted(JsonElement value)
    {
        try
        {
            return _redact(value);
        }
        catch (Exception)
        {
            // Better less in the log than a secret.
            return AuditContentShape.Of(value);
        }
    }
}
