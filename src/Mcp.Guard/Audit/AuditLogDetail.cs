using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>Reads the <c>detail</c> object of a record of the log about itself.</summary>
internal static class AuditLogDetail
{
    /// <summary>The detail, valid until the returned document is disposed; null where there is none.</summary>
    public static JsonDocument? TryParse(in AuditLine line, out JsonElement detail)
    {
        detail = default;
        try
        {
            var reader = new Utf8JsonReader(line.Bytes);
            JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.TryGetProperty("detail", out detail) && detail.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            return null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A string member, or null. The line holds ASCII only and its lone surrogates were replaced, but another writer's may not be.</summary>
    public static string? Text(JsonElement detail, string name)
    {
        try
        {
            return detail.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A whole number, or -1.</summary>
    public static long Number(JsonElement detail, string name) =>
        detail.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : -1;
}
