namespace Mcp.Guard.Hosting;

/// <summary>Which servers the guard ended for one reason, for the health. Servers are those of the policy, so there are few.</summary>
internal sealed class EndedServers
{
    private readonly Dictionary<string, (long Count, DateTimeOffset Last)> _servers = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public void Add(string server, DateTimeOffset when)
    {
        lock (_gate)
        {
            _servers[server] = (_servers.GetValueOrDefault(server).Count + 1, when);
        }
    }

    /// <summary>Server, how often, and when last.</summary>
    public IReadOnlyList<(string Server, long Count, DateTimeOffset Last)> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _servers.Select(static pair => (pair.Key, pair.Value.Count, pair.Value.Last))];
            }
        }
    }
}
