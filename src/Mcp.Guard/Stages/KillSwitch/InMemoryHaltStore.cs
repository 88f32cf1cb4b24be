namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>The stops of one host.</summary>
internal sealed class InMemoryHaltStore : IHaltStore
{
    /// <summary>Stops that can be set at the same time: a store that is full refuses, and the guard keeps the stop in force for this host.</summary>
    private const int Capacity = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<HaltScope, Halt> _halts = [];

    public ValueTask SetAsync(Halt halt, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_halts.Count >= Capacity && !_halts.ContainsKey(halt.Scope))
            {
                throw new InvalidOperationException($"{Capacity} stops are set; end some, or stop a wider scope.");
            }

            _halts[halt.Scope] = halt;
        }

        return default;
    }

    public ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(_halts.Remove(scope));
        }
    }

    public ValueTask<IReadOnlyList<Halt>> ReadAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            return new([.. _halts.Values]);
        }
    }

    public IDisposable Subscribe(Action<IReadOnlyList<Halt>> changed) => NoSubscription.Instance;

    private sealed class NoSubscription : IDisposable
    {
        public static readonly NoSubscription Instance = new();

        public void Dispose()
        {
        }
    }
}
