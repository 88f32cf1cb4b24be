namespace Mcp.Guard.Policy;

/// <summary>A new policy came into force, or a bad one was refused and the last good one stays.</summary>
internal sealed class PolicyChange
{
    private PolicyChange(PolicySnapshot current, Exception? error)
    {
        Current = current;
        Error = error;
    }

    /// <summary>The policy in force now.</summary>
    public PolicySnapshot Current { get; }

    /// <summary>Why the changed file was refused: mostly an <see cref="McpGuardPolicyException"/>; null where the new policy is in force.</summary>
    public Exception? Error { get; }

    public static PolicyChange Accepted(PolicySnapshot current) => new(current, null);

    public static PolicyChange Refused(PolicySnapshot current, Exception error) => new(current, error);
}
