namespace Mcp.Guard.Json;

/// <summary>One step from the root of a JSON value: a member by the token of its name, or an index where <see cref="Index"/> is not negative.</summary>
internal readonly record struct JsonTrailSegment(int Name, int Index);
