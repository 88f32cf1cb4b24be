using System.Text.Json;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>A tool as its server listed it.</summary>
/// <param name="Definition">The definition.</param>
/// <param name="Name">Its exact name.</param>
/// <param name="Fingerprint">Its fingerprint.</param>
internal readonly record struct ListedTool(JsonElement Definition, string Name, string Fingerprint);
