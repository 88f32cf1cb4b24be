namespace Mcp.Guard;

/// <summary>A connection that is about to be made; the payload is undefined.</summary>
public abstract class GuardConnectionContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.Connection;
}
