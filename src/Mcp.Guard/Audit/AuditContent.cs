using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Audit;

/// <summary>Arguments and results as the policy lets them be recorded.</summary>
/// <param name="digest">The keyed digest of the audit files, once they are open; without one a key of this process is used.</param>
internal sealed class AuditContent(Func<AuditDigest?> digest) : IAuditContent
{
    private readonly AuditDigest _own = new(RandomNumberGenerator.GetBytes(AuditDigest.KeyBytes));

    public JsonElement Record(JsonElement value, ContentRecording mode) => value.ValueKind == JsonValueKind.Undefined
        ? value
        : mode switch
        {
            ContentRecording.Full => value,
            ContentRecording.Redacted => Redact(value),
            ContentRecording.Shape => ShapeOf(value),
            _ => default,
        };

    public string? Digest(JsonElement value) =>
        value.ValueKind == JsonValueKind.Undefined ? null : (digest() ?? _own).Of(JsonMarshal.GetRawUtf8Value(value));

    private static JsonElement Redact(JsonElement value) => ShapeOf(value);

    /// <summary>Names, types and lengths. Not recursive beyond the depth that messages have.</summary>
    private static JsonElement ShapeOf(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteShape(writer, value);
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    private static void WriteShape(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    WriteShape(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStringValue($"array of {value.GetArrayLength()}");
                break;
            case JsonValueKind.String:
                writer.WriteStringValue($"string of {JsonMarshal.GetRawUtf8Value(value).Length - 2} bytes");
                break;
            default:
                writer.WriteStringValue(value.ValueKind switch
                {
                    JsonValueKind.Number => "number",
                    JsonValueKind.Null => "null",
                    _ => "boolean",
                });
                break;
        }
    }
}
