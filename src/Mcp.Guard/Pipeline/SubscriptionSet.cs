namespace Mcp.Guard.Pipeline;

/// <summary>The resources that the client of one connection subscribed to. Bounded.</summary>
internal sealed class SubscriptionSet
{
    private const int Capacity = 10_000;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _uris = new(StringComparer.Ordinal);

    public bool TryAdd(string uri)
    {
        lock (_gate)
        {
            return _uris.Contains(uri) || (_uris.Count < Capacity && _uris.Add(uri));
        }
    }

    public void Remove(string uri)
    {
        lock (_gate)
        {
            _uris.Remove(uri);
        }
    }

    /// <summary>Whether an update of this resource was asked for: of the resource itself, or of one above it.</summary>
    public bool Covers(string uri)
    {
        lock (_gate)
        {
            if (_uris.Contains(uri))
            {
                return true;
            }

            foreach (string subscribed in _uris)
            {
                if (uri.StartsWith(subscribed, StringComparison.Ordinal) && (subscribed.EndsWith('/') || (uri.Length > subscribed.Length && uri[subscribed.Length] == '/')))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
