using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>One step from the root of a JSON value: a member, or an index where <see cref="Index"/> is not negative.</summary>
internal readonly record struct JsonTrailSegment(JsonProperty Member, int Index);
