namespace Mcp.Guard.Policy;

/// <summary>A policy that never changes: one that was built in code.</summary>
internal sealed class StaticPolicySource(PolicySnapshot current) : IPolicySource
{
    public PolicySnapshot Current { get; } = current;

    public IDisposable OnChange(Action<PolicyChange> listener) => NoSubscription.Instance;

    private sealed class NoSubscription : IDisposable
    {
        public static readonly NoSubscription Instance = new();

        public void Dispose()
        {
        }
    }
}
