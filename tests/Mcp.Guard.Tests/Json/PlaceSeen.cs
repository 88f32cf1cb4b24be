namespace Mcp.Guard.Tests.Json;

/// <summary>What a walk said about one string.</summary>
internal sealed record PlaceSeen(string Pointer, string Text, bool IsName, string? NearestName, bool IsCovered);
