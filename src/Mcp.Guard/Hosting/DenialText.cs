using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mcp.Guard;

/// <summary>What the model and the host read of a denial: code, whether and when to retry, and the decision's id.</summary>
internal static class DenialText
{
    public static string For(string code, string? modelMessage, TimeSpan? retryAfter, string decisionId)
    {
        var text = new StringBuilder(192)
            .Append("Denied by the host's policy [")
            .Append(code)
            .Append("]. ")
            .Append(modelMessage ?? GuardDenialCodes.MessageFor(code));
        if (retryAfter is { } wait)
        {
            // Rounded up: a call after the stated time must be admitted.
            text.Append(CultureInfo.InvariantCulture, $" Retry after {Math.Ceiling(wait.TotalMilliseconds):0} ms.");
        }

        if (decisionId.Length > 0)
        {
            text.Append(" (decision ").Append(decisionId).Append(')');
        }

        return text.ToString();
    }

    /// <summary>
    /// A denial as the result of <c>tools/call</c>: one text block and <c>isError</c>. Not a JSON-RPC error, which the SDK blames on the remote side and
    /// shows to the model as "function failed"; and without <c>_meta</c>, which the model would be shown.
    /// </summary>
    public static JsonObject ToolResult(GuardDenial denial, string decisionId, bool stateless)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (stateless)
            {
                writer.WriteString("resultType"u8, "complete"u8);
            }

            writer.WriteStartArray("content"u8);
            writer.WriteStartObject();
            writer.WriteString("type"u8, "text"u8);
            writer.WriteString("text"u8, For(denial.Code, denial.ModelMessage, denial.RetryAfter, decisionId));
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteBoolean("isError"u8, true);
            writer.WriteEndObject();
        }

        return JsonObject.Create(JsonDocument.Parse(buffer.WrittenMemory).RootElement)!;
    }

    public static McpGuardException Exception(GuardDenial denial, string decisionId) => new(denial.Code, decisionId, denial.RetryAfter, denial.ModelMessage);
}
