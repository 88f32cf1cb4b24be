namespace Mcp.Guard.Stages.Consent;

/// <summary>Remembered consents of this process. Bounded.</summary>
internal sealed class InMemoryConsentStore : IConsentStore
{
    private const int Capacity = 100_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ConsentGrant> _grants = new(StringComparer.Ordinal);

    public ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct)
    {
        lock (_gate)
        {
            ConsentGrant? found = null;
            foreach (ConsentGrant grant in _grants.Values)
            {
                if (grant.Covers(binding, now) && (found is null || grant.IsRefusal))
                {
                    found = grant;
                    if (grant.IsRefusal)
                    {
                        break;
                    }
                }
            }

            if (found is { IsSingleUse: true })
            {
                _grants.Remove(found.GrantId);
            }

            return new(found);
        }
    }

    public ValueTask AddAsync(ConsentGrant grant, CancellationToken ct)
    {
        lock (_gate)
        {
            if (_grants.Count >= Capacity)
            {
                throw new InvalidOperationException($"{Capacity} consents are remembered; revoke some.");
            }

            _grants[grant.GrantId] = grant;
        }

        return default;
    }

    public ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(_grants.Remove(grantId));
        }
    }

    public ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct)
    {
        lock (_gate)
        {
            return new([.. _grants.Values.Where(grant => now < grant.ExpiresAt && string.Equals(grant.Binding.UserId, userId, StringComparison.Ordinal))]);
        }
    }
}
