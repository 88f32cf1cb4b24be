namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>The default <see cref="IHaltStore"/>: the stops of this process. It tells nobody of changes, since nobody else makes them.</summary>
internal sealed class InMemoryHaltStore : IHaltStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HaltScope, Halt> _halts = [];

    /// <inheritdoc/>
    public ValueTask SetAsync(Halt halt, CancellationToken ct)
    {
        lock (_lock)
        {
            if (_halts.Count >= HaltSwitch.MaxHalts && !_halts.ContainsKey(halt.Scope))
            {
                throw new InvalidOperationException($"{HaltSwitch.MaxHalts} stops are in force; stop a server or everything instead");
            }

            _halts[halt.Scope] = halt;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct)
    {
        lock (_lock)
        {
            return new(_halts.Remove(scope));
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Halt>> ReadAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            return new([.. _halts.Values]);
        }
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<IReadOnlyList<Halt>> changed) => NoSubscription.Instance;

    private sealed class NoSubscription : IDisposable
    {
        public static readonly NoSubscription Instance = new();

        public void Dispose()
        {
        }
    }
}
