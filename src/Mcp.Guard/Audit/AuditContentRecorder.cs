using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>Prepares arguments or a result for the record, as the policy says. The digest is keyed, because it covers the value before redaction.</summary>
/// <param name="mode">How much may be held.</param>
/// <param name="redact">The redactor: returns the value, or another one with the secrets replaced.</param>
/// <param name="digest">The log's keyed digests; null where no log of files is kept.</param>
internal sealed class AuditContentRecorder(AuditContentMode mode, Func<JsonElement, JsonElement> redact, AuditDigest? digest)
{
    /// <summary>What may be recorded of the value, and its digest. It never throws.</summary>
    public (JsonElement Recorded, string? Digest) Prepare(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.Undefined
                ? default
                : (Recorded(value), digest?.Of(JsonMarshal.GetRawUtf8Value(value)));
        }
        catch (Exception)
        {
            // A value that cannot be read leaves no trace of its content; the record tells the rest.
            return default;
        }
    }

    private JsonElement Recorded(JsonElement value)
    {
        switch (mode)
        {
            case AuditContentMode.Full:
                return value;
            case AuditContentMode.Redacted:
                try
                {
                    return redact(value);
                }
                catch (Exception)
                {
                    // Better less in the log than a secret.
                    return AuditContentShape.Of(value);
                }

            case AuditContentMode.Shape:
                return AuditContentShape.Of(value);
            default:
                return default;
        }
    }
}
