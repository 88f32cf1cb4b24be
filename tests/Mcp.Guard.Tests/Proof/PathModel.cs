namespace Mcp.Guard.Tests.Proof;

/// <summary>Where a path leads.</summary>
internal enum PathModel
{
    Inside,
    Outside,
    Climbing,
}
