using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// The tool names of all connected servers, to see when two servers offer one name or twins. Such tools are listed under their qualified names; a name that
/// another server has never decides what is trusted. Names are counted, so that any number of connections to one server cost what one does.
/// </summary>
internal sealed class CatalogNames
{
    /// <summary>Most tools of one server; a list that is longer is refused as a whole.</summary>
    public const int MaxTools = 2_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServerNames> _servers = new(StringComparer.Ordinal);

    /// <summary>Takes the names that a connection lists in place of those that it listed before.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="names">Exact names, at most <see cref="MaxTools"/>.</param>
    /// <param name="qualified">Those that another server has too: they are listed under their qualified names.</param>
    /// <returns>Connections of other servers that still list a name plainly that now has a second owner: they have to list again.</returns>
    public IReadOnlyList<ConnectionState> Take(ConnectionState connection, IReadOnlyCollection<string> names, out HashSet<string> qualified)
    {
        string server = connection.Server.Id;
        qualified = new HashSet<string>(StringComparer.Ordinal);
        var all = new HashSet<string>(4 * names.Count, StringComparer.Ordinal);
        var plain = new HashSet<string>(2 * names.Count, StringComparer.Ordinal);
        var keys = new Dictionary<string, (string Look, string Letters)>(names.Count, StringComparer.Ordinal);
        foreach (string name in names)
        {
            keys[name] = ToolNameRules.TwinKeys(name);
            Add(all, keys[name]);

            // A plain name that reads like another server's qualified one would take its place.
            Add(all, ToolNameRules.TwinKeys(QualifiedToolName.Compose(server, name)));
        }

        lock (_gate)
        {
            foreach (string name in names)
            {
                if (OtherServer(server, keys[name]) is not null)
                {
                    qualified.Add(name);
                }
                else
                {
                    Add(plain, keys[name]);
                }
            }

            if (connection.HasLeftNames)
            {
                return [];
            }

            if (!_servers.TryGetValue(server, out ServerNames? own))
            {
                _servers.Add(server, own = new ServerNames());
            }

            own.Replace(connection, all, plain);
            return AnyShared(server, all);
        }
    }

    /// <summary>Forgets a connection that ended, for good.</summary>
    public void Remove(ConnectionState connection)
    {
        lock (_gate)
        {
            connection.HasLeftNames = true;
            if (_servers.TryGetValue(connection.Server.Id, out ServerNames? own))
            {
                own.Replace(connection, [], []);
                if (own.IsEmpty)
                {
                    _servers.Remove(connection.Server.Id);
                }
            }
        }
    }

    /// <summary>The first other server that has this name or a twin of it, in ordinal order; null where none has.</summary>
    public string? OtherServerWith(string server, string name)
    {
        lock (_gate)
        {
            return OtherServer(server, ToolNameRules.TwinKeys(name));
        }
    }

    private static void Add(HashSet<string> keys, (string Look, string Letters) name)
    {
        keys.Add(name.Look);
        keys.Add(name.Letters);
    }

    private string? OtherServer(string server, (string Look, string Letters) name)
    {
        string? found = null;
        foreach ((string other, ServerNames names) in _servers)
        {
            if (!string.Equals(other, server, StringComparison.Ordinal)
                && (found is null || string.CompareOrdinal(other, found) < 0)
                && (names.Has(name.Look) || names.Has(name.Letters)))
            {
                found = other;
            }
        }

        return found;
    }

    private List<ConnectionState> AnyShared(string server, HashSet<string> all)
    {
        var found = new List<ConnectionState>();
        foreach ((string other, ServerNames names) in _servers)
        {
            if (!string.Equals(other, server, StringComparison.Ordinal))
            {
                names.CollectPlainOwners(all, found);
            }
        }

        return found;
    }

    private sealed class ServerNames
    {
        private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
        private readonly Dictionary<string, (ConnectionState Connection, HashSet<string> All, HashSet<string> Plain)> _connections = new(StringComparer.Ordinal);

        public bool IsEmpty => _connections.Count == 0;

        public bool Has(string key) => _counts.ContainsKey(key);

        public void Replace(ConnectionState connection, HashSet<string> all, HashSet<string> plain)
        {
            if (_connections.Remove(connection.NamesKey, out var old))
            {
                foreach (string key in old.All)
                {
                    if (--_counts[key] == 0)
                    {
                        _counts.Remove(key);
                    }
                }
            }

            if (all.Count == 0)
            {
                return;
            }

            _connections.Add(connection.NamesKey, (connection, all, plain));
            foreach (string key in all)
            {
                _counts[key] = _counts.GetValueOrDefault(key) + 1;
            }
        }

        public void CollectPlainOwners(HashSet<string> keys, List<ConnectionState> owners)
        {
            if (!keys.Any(Has))
            {
                return;
            }

            foreach (var (connection, _, plain) in _connections.Values)
            {
                if (plain.Overlaps(keys))
                {
                    owners.Add(connection);
                }
            }
        }
    }
}
