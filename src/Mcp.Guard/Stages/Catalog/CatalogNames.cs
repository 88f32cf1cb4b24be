using System.Collections.Frozen;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// The tool names of all connected servers, to see when two servers offer one name or twins. Such tools are used under their qualified names;
/// a name that another server has never decides what is trusted.
/// </summary>
internal sealed class CatalogNames
{
    /// <summary>Most tools of one server; a list that is longer is refused as a whole.</summary>
    public const int MaxTools = 2_000;

    private readonly Lock _writing = new();
    private volatile FrozenDictionary<string, FrozenSet<string>> _servers = FrozenDictionary<string, FrozenSet<string>>.Empty;

    /// <summary>Takes the names of a server in place of those that it had. Servers are those of the policy, so their number is bounded.</summary>
    /// <returns>False where there are more than <see cref="MaxTools"/>; the server then has no names.</returns>
    public bool TrySet(string server, IReadOnlyCollection<string> names)
    {
        lock (_writing)
        {
            var servers = new Dictionary<string, FrozenSet<string>>(_servers, StringComparer.Ordinal)
            {
                [server] = names.Count <= MaxTools ? Keys(names) : FrozenSet<string>.Empty,
            };
            _servers = servers.ToFrozenDictionary(StringComparer.Ordinal);
        }

        return names.Count <= MaxTools;
    }

    /// <summary>Forgets a server that is no longer connected.</summary>
    public void Remove(string server)
    {
        lock (_writing)
        {
            var servers = new Dictionary<string, FrozenSet<string>>(_servers, StringComparer.Ordinal);
            servers.Remove(server);
            _servers = servers.ToFrozenDictionary(StringComparer.Ordinal);
        }
    }

    /// <summary>The first other server that has this name or a twin of it, in ordinal order; null where none has.</summary>
    public string? OtherServerWith(string server, string name)
    {
        (string look, string letters) = ToolNameRules.TwinKeys(name);
        string? found = null;
        foreach ((string other, FrozenSet<string> keys) in _servers)
        {
            if (!string.Equals(other, server, StringComparison.Ordinal)
                && (found is null || string.CompareOrdinal(other, found) < 0)
                && (keys.Contains(look) || keys.Contains(letters)))
            {
                found = other;
            }
        }

        return found;
    }

    private static FrozenSet<string> Keys(IReadOnlyCollection<string> names)
    {
        var keys = new HashSet<string>(2 * names.Count, StringComparer.Ordinal);
        foreach (string name in names)
        {
            (string look, string letters) = ToolNameRules.TwinKeys(name);
            keys.Add(look);
            keys.Add(letters);
        }

        return keys.ToFrozenSet(StringComparer.Ordinal);
    }
}
