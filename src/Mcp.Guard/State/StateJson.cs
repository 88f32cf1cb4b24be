using System.Text.Json;

namespace Mcp.Guard.State;

/// <summary>Reads members of a state file; null where one is missing or of another type.</summary>
internal static class StateJson
{
    public static string? Text(JsonElement entry, ReadOnlySpan<byte> name) =>
        entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static bool? Flag(JsonElement entry, ReadOnlySpan<byte> name) =>
        entry.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    public static long? Number(JsonElement entry, ReadOnlySpan<byte> name) =>
        entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    public static DateTimeOffset? Moment(JsonElement entry, ReadOnlySpan<byte> name) =>
        entry.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out DateTimeOffset moment) ? moment : null;
}
