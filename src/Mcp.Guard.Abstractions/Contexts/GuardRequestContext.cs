using System.Text.Json;

namespace Mcp.Guard;

/// <summary>A request from the client to the server, for example <c>tools/call</c>.</summary>
public abstract class GuardRequestContext : GuardContext
{
    /// <inheritdoc/>
    public sealed override GuardBoundary Boundary => GuardBoundary.Request;

    /// <summary>The tool or prompt name, or the resource URI; null for methods without one.</summary>
    public abstract string? Target { get; }

    /// <summary>The <c>arguments</c> of a tool call or prompt request; undefined where there are none.</summary>
    public abstract JsonElement Arguments { get; }

    /// <summary>The definition of the called tool, as the server listed it; null for other methods and while it is unknown.</summary>
    public abstract McpToolDefinition? Tool { get; }

    /// <summary>True where the call counts as destructive: assumed, unless the policy or a trusted server says otherwise.</summary>
    public abstract bool IsDestructive { get; }

    /// <summary>The ids of the rules that matched, in ordinal order.</summary>
    public abstract IReadOnlyList<string> MatchedRules { get; }

    /// <summary>True where the stages run again after a person agreed.</summary>
    public abstract bool IsAfterConsent { get; }
}
