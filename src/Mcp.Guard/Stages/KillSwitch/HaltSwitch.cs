using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>
/// The stop button. <see cref="Find(string, string?, string)"/> is the first check of every message and runs again after a consent; <see cref="Register"/> lets a stop reach what
/// already runs or waits for a person. A stop holds in this process before the store is asked; it ends only after the store has forgotten it.
/// </summary>
internal sealed class HaltSwitch : IDisposable
{
    /// <summary>The most stops at the same time. <see cref="HaltScope.Everything"/> needs no place: who has used up all can still stop all.</summary>
    public const int MaxHalts = 1024;

    /// <summary>The stop that is reported while the stops in force are not known.</summary>
    private static readonly Halt Unknown = new(HaltScope.Everything, "the stops in force could not be read yet", default);

    private readonly IHaltStore _store;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<HaltScope, Halt> _notStored = [];
    private readonly ConcurrentDictionary<HaltRegistration, byte> _running = new();
    private HaltSnapshot? _stored;
    private FrozenDictionary<HaltScope, Halt>? _inForce;
    private IDisposable? _subscription;

    public HaltSwitch(IHaltStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
    }

    /// <summary>Told after the stops in force have changed and what is registered was cancelled. Set once, before the start.</summary>
    public Action? Changed { get; set; }

    /// <summary>Whether the stops were read; until then everything is stopped.</summary>
    public bool IsKnown => Volatile.Read(ref _inForce) is not null;

    /// <summary>The stops in force.</summary>
    public IReadOnlyCollection<Halt> InForce => Volatile.Read(ref _inForce)?.Values ?? [Unknown];

    /// <summary>Reads the stops in force and follows the store. Where it fails everything stays stopped: call it again.</summary>
    public async ValueTask StartAsync(CancellationToken ct)
    {
        lock (_lock)
        {
            _subscription ??= _store.Subscribe(halts => Replace(halts));
        }

        Replace(await _store.ReadAsync(ct));
    }

    /// <summary>The stop that covers a message, or null. Some look-ups where any stop is in force, none otherwise.</summary>
    /// <param name="server">The message's server.</param>
    /// <param name="tool">Its tool, or null.</param>
    /// <param name="userId">Its user.</param>
    public Halt? Find(string server, string? tool, string userId)
    {
        FrozenDictionary<HaltScope, Halt>? inForce = Volatile.Read(ref _inForce);
        if (inForce is null)
        {
            return Unknown;
        }

        return inForce.Count == 0 ? null : Find(inForce, server, tool, userId);
    }

    /// <summary>Takes part in stops: the token is cancelled when a stop covers the message. Dispose it when the message is done.</summary>
    public HaltRegistration Register(string server, string? tool, string userId)
    {
        var registration = new HaltRegistration(this, server, tool, userId);
        _running.TryAdd(registration, 0);

        // A stop that came before the registration was seen is found here; one that comes later finds the registration.
        if (Find(server, tool, userId) is not null)
        {
            registration.Cancel();
        }

        return registration;
    }

    /// <summary>Stops a scope: new messages are denied, prompts answered deny and running calls cancelled at once, even where the store fails.</summary>
    /// <returns>The stop, for the audit.</returns>
    /// <exception cref="ArgumentException">The reason is empty, the scope names a tool without its server, or too many stops are in force.</exception>
    public async ValueTask<Halt> HaltAsync(HaltScope scope, string reason, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        if (scope.Tool is not null && scope.Server is null)
        {
            throw new ArgumentException("a stop of a tool needs its server", nameof(scope));
        }

        var halt = new Halt(scope, reason, _time.GetUtcNow());
        lock (_lock)
        {
            if (_notStored.Count >= MaxHalts && scope != HaltScope.Everything && !_notStored.ContainsKey(scope))
            {
                throw new ArgumentException($"{MaxHalts} stops are in force; stop a server or everything instead", nameof(scope));
            }

            _notStored[scope] = halt;
            Publish();
        }

        CancelCovered();
        await _store.SetAsync(halt, ct);
        HaltSnapshot stored = await _store.ReadAsync(ct);
        lock (_lock)
        {
            // Kept here until the store's own list shows it.
            if (stored.Halts.Any(other => other.Scope == scope) && _notStored.TryGetValue(scope, out Halt? mine) && ReferenceEquals(mine, halt))
            {
                _notStored.Remove(scope);
            }

            Take(stored);
        }

        // The read may show stops that other hosts set, and their word of them may come later or never.
        CancelCovered();
        return halt;
    }

    /// <summary>Ends a stop, in the store first: where that fails the stop holds.</summary>
    /// <returns>Whether there was one of exactly this scope.</returns>
    public async ValueTask<bool> ResumeAsync(HaltScope scope, CancellationToken ct)
    {
        Halt? ended;
        lock (_lock)
        {
            _notStored.TryGetValue(scope, out ended);
        }

        bool wasStored = await _store.ClearAsync(scope, ct);
        HaltSnapshot stored = await _store.ReadAsync(ct);
        bool wasHere;
        lock (_lock)
        {
            // One that was set meanwhile is another stop, which nobody has ended.
            wasHere = ended is not null && _notStored.TryGetValue(scope, out Halt? now) && ReferenceEquals(now, ended) && _notStored.Remove(scope);
            Take(stored);
        }

        CancelCovered(); // as above
        return wasStored || wasHere;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _subscription?.Dispose();
            _subscription = null;
        }
    }

    internal void Remove(HaltRegistration registration) => _running.TryRemove(registration, out _);

    private static Halt? Find(FrozenDictionary<HaltScope, Halt> inForce, string server, string? tool, string userId)
    {
        if (inForce.TryGetValue(HaltScope.Everything, out Halt? halt)
            || inForce.TryGetValue(new HaltScope(UserId: userId), out halt)
            || inForce.TryGetValue(new HaltScope(server), out halt)
            || inForce.TryGetValue(new HaltScope(server, null, userId), out halt))
        {
            return halt;
        }

        return tool is not null && (inForce.TryGetValue(new HaltScope(server, tool), out halt) || inForce.TryGetValue(new HaltScope(server, tool, userId), out halt))
            ? halt
            : null;
    }

    private void Replace(HaltSnapshot halts)
    {
        lock (_lock)
        {
            Take(halts);
        }

        CancelCovered();
    }

    /// <summary>Called under the lock. Reads overtake one another: an older list never replaces a newer one.</summary>
    private void Take(HaltSnapshot halts)
    {
        if (_stored is null || halts.Version >= _stored.Version)
        {
            _stored = halts;
        }

        Publish();
    }

    /// <summary>Called under the lock.</summary>
    private void Publish()
    {
        if (_stored is null)
        {
            // Never read: everything stays stopped.
            return;
        }

        var all = new Dictionary<HaltScope, Halt>();
        foreach (Halt halt in _stored.Halts)
        {
            all[halt.Scope] = halt;
        }

        foreach (Halt halt in _notStored.Values)
        {
            all[halt.Scope] = halt;
        }

        Volatile.Write(ref _inForce, all.ToFrozenDictionary());
    }

    private void CancelCovered()
    {
        foreach (KeyValuePair<HaltRegistration, byte> running in _running)
        {
            if (Find(running.Key.Server, running.Key.Tool, running.Key.UserId) is not null)
            {
                running.Key.Cancel();
            }
        }

        Changed?.Invoke();
    }
}
