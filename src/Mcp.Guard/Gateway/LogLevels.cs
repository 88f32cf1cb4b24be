using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mcp.Guard.Gateway;

/// <summary>The levels of log notifications (RFC 5424, as MCP writes them), least severe first.</summary>
internal static class LogLevels
{
    private static readonly string[] Names = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

    /// <summary>The rank of the level that the member <c>level</c> names; null where there is none.</summary>
    public static int? RankOf(JsonNode? parameters) =>
        parameters is JsonObject given && given["level"] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? RankOf(value.GetValue<string>()) : null;

    public static int? RankOf(string? name) => Array.IndexOf(Names, name) is >= 0 and var rank ? rank : null;

    public static string NameOf(int rank) => Names[rank];
}
