namespace Mcp.Guard.Hosting;

/// <summary>With what <c>AddMcpGuard</c> was called.</summary>
internal sealed class GuardRegistration(string? path, Action<GuardPolicyBuilder>? configure)
{
    public string? Path => path;

    public Action<GuardPolicyBuilder>? Configure => configure;

    public McpGuardBuilder? Builder { get; set; }

    public bool IsSameAs(GuardRegistration other) => string.Equals(path, other.Path, StringComparison.Ordinal) && Equals(configure, other.Configure);
}
