using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Audit;

/// <summary>Arguments and results as the policy lets them be recorded.</summary>
/// <param name="redaction">Takes the secrets out.</param>
/// <param name="digest">The keyed digest of the audit files, once they are open; without one a key of this process is used.</param>
internal sealed class AuditContent(ContentRedaction redaction, Func<AuditDigest?> digest) : IAuditContent
{
    private readonly AuditDigest _own = new(RandomNumberGenerator.GetBytes(AuditDigest.KeyBytes));

    public JsonElement Record(JsonElement value, ContentRecording mode)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return value;
        }

        switch (mode)
        {
            case ContentRecording.Full:
                return value;
            case ContentRecording.Redacted:
                try
                {
                    return redaction.Apply(value);
                }
                catch (Exception)
                {
                    // Better less in the log than a secret.
                    return AuditContentShape.Of(value);
                }

            case ContentRecording.Shape:
                return AuditContentShape.Of(value);
            default:
                return default;
        }
    }

    public string? Digest(JsonElement value) =>
        value.ValueKind == JsonValueKind.Undefined ? null : (digest() ?? _own).Of(JsonMarshal.GetRawUtf8Value(value));
}
