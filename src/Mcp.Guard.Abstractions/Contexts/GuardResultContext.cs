namespace Mcp.Guard;

/// <summary>The answer to a forwarded request; its text comes from the server.</summary>
public abstract class GuardResultContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.Result;

    /// <summary>The request that this answers.</summary>
    public abstract GuardRequestContext Request { get; }

    /// <summary>True where the payload is the <c>error</c> object of a JSON-RPC error.</summary>
    public abstract bool IsError { get; }
}
