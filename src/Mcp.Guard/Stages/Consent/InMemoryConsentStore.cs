using System.Collections.Concurrent;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Remembers consents for the life of the process. Bounded; what has expired makes room, refusals never do.</summary>
internal sealed class InMemoryConsentStore : IConsentStore
{
    /// <summary>Most grants and refusals that are kept.</summary>
    public const int DefaultCapacity = 10_000;

    private readonly ConcurrentDictionary<ConsentGrantKey, ConsentGrant[]> _grants = new(ConsentGrantKeyComparer.Instance);
    private readonly ConcurrentDictionary<string, ConsentGrantKey> _ids = new(StringComparer.Ordinal);
    private readonly Lock _writing = new();
    private readonly int _capacity;
    private readonly TimeProvider _time;
    private int _count;

    public InMemoryConsentStore(TimeProvider time, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _time = time;
        _capacity = capacity;
    }

    public ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(Take(binding, now));
    }

    public ValueTask AddAsync(ConsentGrant grant, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        ct.ThrowIfCancellationRequested();
        Add(grant);
        return ValueTask.CompletedTask;
    }

    public ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grantId);
        ct.ThrowIfCancellationRequested();
        return new(Revoke(grantId));
    }

    public ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(userId);
        ct.ThrowIfCancellationRequested();
        var found = new List<ConsentGrant>();
        foreach (ConsentGrant grant in All())
        {
            if (now < grant.ExpiresAt && string.Equals(grant.Binding.UserId, userId, StringComparison.Ordinal))
            {
                found.Add(grant);
            }
        }

        return new(found);
    }

    /// <summary>Finds the grant of a call; a grant for one use is taken out in the same step.</summary>
    internal ConsentGrant? Take(in ConsentBinding binding, DateTimeOffset now)
    {
        // The arrays are never changed in place: readers need no lock.
        if (!_grants.TryGetValue(ConsentGrantKey.Of(binding), out ConsentGrant[]? grants))
        {
            return null;
        }

        ConsentGrant? found = Find(grants, binding, now);
        if (found is not { IsSingleUse: true, IsRefusal: false })
        {
            return found;
        }

        // Found without the lock, taken under it: of any number of callers one still finds it here.
        lock (_writing)
        {
            found = _grants.TryGetValue(ConsentGrantKey.Of(binding), out grants) ? Find(grants, binding, now) : null;
            if (found is { IsSingleUse: true, IsRefusal: false })
            {
                RemoveLocked(ConsentGrantKey.Of(binding), found.GrantId);
            }

            return found;
        }
    }

    internal void Add(ConsentGrant grant)
    {
        var key = ConsentGrantKey.Of(grant.Binding);
        lock (_writing)
        {
            if (_ids.ContainsKey(grant.GrantId))
            {
                throw new InvalidOperationException("A grant with this id is stored already; ids are random and used once.");
            }

            if (_count >= _capacity)
            {
                RemoveExpiredLocked(_time.GetUtcNow());
                if (_count >= _capacity)
                {
                    throw new InvalidOperationException($"The consent store holds {_capacity} grants and refusals; revoke some, or let them expire.");
                }
            }

            _grants[key] = _grants.TryGetValue(key, out ConsentGrant[]? grants) ? [.. grants, grant] : [grant];
            _ids[grant.GrantId] = key;
            _count++;
        }
    }

    internal bool Revoke(string grantId)
    {
        lock (_writing)
        {
            return _ids.TryGetValue(grantId, out ConsentGrantKey key) && RemoveLocked(key, grantId);
        }
    }

    internal List<ConsentGrant> All()
    {
        var all = new List<ConsentGrant>();
        foreach (KeyValuePair<ConsentGrantKey, ConsentGrant[]> entry in _grants)
        {
            all.AddRange(entry.Value);
        }

        return all;
    }

    internal void RemoveExpired(DateTimeOffset now)
    {
        lock (_writing)
        {
            RemoveExpiredLocked(now);
        }
    }

    // A refusal wins; a lasting grant is used before one that its use would end.
    private static ConsentGrant? Find(ConsentGrant[] grants, in ConsentBinding binding, DateTimeOffset now)
    {
        ConsentGrant? found = null;
        foreach (ConsentGrant grant in grants)
        {
            if (!grant.Covers(binding, now))
            {
                continue;
            }

            if (grant.IsRefusal)
            {
                return grant;
            }

            if (found is null || (found.IsSingleUse && !grant.IsSingleUse))
            {
                found = grant;
            }
        }

        return found;
    }

    private bool RemoveLocked(in ConsentGrantKey key, string grantId)
    {
        _ids.TryRemove(grantId, out _);
        ConsentGrant[] left = _grants.TryGetValue(key, out ConsentGrant[]? grants) ? Array.FindAll(grants, grant => !string.Equals(grant.GrantId, grantId, StringComparison.Ordinal)) : [];
        if (grants is null || left.Length == grants.Length)
        {
            return false;
        }

        if (left.Length == 0)
        {
            _grants.TryRemove(key, out _);
        }
        else
        {
            _grants[key] = left;
        }

        _count--;
        return true;
    }

    private void RemoveExpiredLocked(DateTimeOffset now)
    {
        foreach (ConsentGrant grant in All())
        {
            if (now >= grant.ExpiresAt)
            {
                RemoveLocked(ConsentGrantKey.Of(grant.Binding), grant.GrantId);
            }
        }
    }
}
