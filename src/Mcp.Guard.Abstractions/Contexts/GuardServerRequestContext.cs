namespace Mcp.Guard;

/// <summary>A request from the server to the host (sampling, elicitation, roots), sent as a message or carried in an <c>input_required</c> result.</summary>
public abstract class GuardServerRequestContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.ServerRequest;

    /// <summary>The call that caused it, or null where none is known.</summary>
    public abstract GuardRequestContext? Cause { get; }
}
