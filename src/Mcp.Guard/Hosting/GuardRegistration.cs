namespace Mcp.Guard.Hosting;

/// <summary>With what <c>AddMcpGuard</c> was called.</summary>
internal sealed class GuardRegistration(string? path, Action<GuardPolicyBuilder>? configure)
{
    public string? Path => path;

    public Action<GuardPolicyBuilder>? Configure => configure;

    /// <summary>A policy that was read already; for the command line.</summary>
    public Policy.PolicySnapshot? Snapshot { get; init; }

    public McpGuardBuilder? Builder { get; set; }

    public bool IsSameAs(GuardRegistration other) => string.Equals(path, other.Path, StringComparison.Ordinal) && Equals(configure, other.Configure) && ReferenceEquals(Snapshot, other.Snapshot);
}
