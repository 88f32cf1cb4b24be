namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>The default <see cref="IHaltStore"/>: the stops of this process. It tells nobody of changes, since nobody else makes them.</summary>
internal sealed class InMemoryHaltStore : IHaltStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<HaltScope, Halt> _halts = [];
    private long _version;

    /// <inheritdoc/>
    public ValueTask SetAsync(Halt halt, CancellationToken ct)
    {
        lock (_lock)
        {
            if (_halts.Count >= HaltSwitch.MaxHalts && halt.Scope != HaltScope.Everything && !_halts.ContainsKey(halt.Scope))
            {
                throw new InvalidOperationException($"{HaltSwitch.MaxHalts} stops are in force; stop a server or everything instead");
            }

            _halts[halt.Scope] = halt;
            _version++;
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct)
    {
        lock (_lock)
        {
            bool removed = _halts.Remove(scope);
            _version += removed ? 1 : 0;
            return new(removed);
        }
    }

    /// <inheritdoc/>
    public ValueTask<HaltSnapshot> ReadAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            return new(new HaltSnapshot(_version, [.. _halts.Values]));
        }
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<HaltSnapshot> changed) => NoSubscription.Instance;

    private sealed class NoSubscription : IDisposable
    {
        public static readonly NoSubscription Instance = new();

        public void Dispose()
        {
        }
    }
}
