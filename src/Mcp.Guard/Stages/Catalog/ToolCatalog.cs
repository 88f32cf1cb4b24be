using System.Collections.Frozen;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>
/// The tools that a server listed over one connection. Readers take no lock; a new list replaces the old one when its last page has come. Lists may run at
/// the same time (the host's and the guard's own): each goes on where its cursor says.
/// </summary>
internal sealed class ToolCatalog(ConnectionState connection)
{
    /// <summary>The tools that one server may list.</summary>
    public const int MaxTools = CatalogNames.MaxTools;

    // Lists that wait for their next page; the oldest is given up for a new one.
    private const int MaxUnfinished = 8;

    private readonly Lock _gate = new();
    private readonly List<(string Cursor, IReadOnlyDictionary<string, ToolEntry> Entries)> _unfinished = [];
    private Task? _listing;
    private FrozenDictionary<string, ToolEntry> _tools = FrozenDictionary<string, ToolEntry>.Empty;
    private FrozenDictionary<string, string> _exactNames = FrozenDictionary<string, string>.Empty;
    private int _stale = 1;
    private volatile bool _isFirstSightOpen;

    /// <summary>True where the server said that its list changed, or none was seen.</summary>
    public bool IsStale => Volatile.Read(ref _stale) != 0;

    /// <summary>Every tool that may be called or is refused for a reason.</summary>
    public IReadOnlyDictionary<string, ToolEntry> Tools => Volatile.Read(ref _tools);

    /// <summary>
    /// True from the first page of a server's first sight until a list has come to its end: other pages, of whichever list, are first sight too. While no list
    /// ends, no call is possible.
    /// </summary>
    public bool IsFirstSightOpen => _isFirstSightOpen;

    public ToolEntry? Find(string name) => Volatile.Read(ref _tools).TryGetValue(name, out ToolEntry? entry) ? entry : null;

    /// <summary>The exact name behind a name under which a tool was listed; null where it was listed under its own.</summary>
    public string? ExactNameOf(string listedName) => Volatile.Read(ref _exactNames).TryGetValue(listedName, out string? exact) ? exact : null;

    public void MarkStale() => Volatile.Write(ref _stale, 1);

    /// <summary>What came before a page: nothing before a first one; null where the guard does not know the cursor.</summary>
    public IReadOnlyDictionary<string, ToolEntry>? Before(string? cursor)
    {
        if (cursor is null)
        {
            return FrozenDictionary<string, ToolEntry>.Empty;
        }

        lock (_gate)
        {
            int at = _unfinished.FindIndex(list => string.Equals(list.Cursor, cursor, StringComparison.Ordinal));
            return at < 0 ? null : _unfinished[at].Entries;
        }
    }

    /// <summary>Takes a list as far as it has come.</summary>
    /// <param name="entries">The tools of all pages up to this one by exact name; not changed afterwards.</param>
    /// <param name="isFirstSight">True where they were the first sight of the server's tools.</param>
    /// <param name="isWhole">False where earlier pages are not known: what they had stays.</param>
    /// <param name="nextCursor">Where it goes on; null after the last page.</param>
    public void Take(IReadOnlyDictionary<string, ToolEntry> entries, bool isFirstSight, bool isWhole, string? nextCursor)
    {
        lock (_gate)
        {
            if (nextCursor is not null)
            {
                _unfinished.RemoveAll(list => string.Equals(list.Cursor, nextCursor, StringComparison.Ordinal));
                if (_unfinished.Count >= MaxUnfinished)
                {
                    _unfinished.RemoveAt(0);
                }

                _unfinished.Add((nextCursor, entries));
            }

            if (nextCursor is null && isWhole)
            {
                Publish(entries);
                _isFirstSightOpen = false;
                Volatile.Write(ref _stale, 0);
            }
            else
            {
                _isFirstSightOpen |= isFirstSight;

                // Tools of an unfinished list can be called; what the old list had stays until the last page has come.
                var both = _tools.Count + entries.Count <= 2 * MaxTools
                    ? new Dictionary<string, ToolEntry>(_tools, StringComparer.Ordinal)
                    : new Dictionary<string, ToolEntry>(StringComparer.Ordinal);
                foreach (var (name, entry) in entries)
                {
                    both[name] = entry;
                }

                Publish(both);
            }
        }
    }

    /// <summary>Finds a tool; one that is not known, or a list that is stale, makes the guard list first.</summary>
    public ValueTask<ToolEntry?> ResolveAsync(RequestContext call, CancellationToken ct)
    {
        string name = call.TargetName!;
        return !IsStale && Find(name) is { } known ? new(known) : ListAndFindAsync(call, name, ct);
    }

    /// <summary>Makes the guard list the tools; one list serves all that wait for it, and does not end with the call that happened to start it.</summary>
    public async ValueTask ListAsync(RequestContext call, CancellationToken ct)
    {
        if (connection.ListTools is not { } list)
        {
            return;
        }

        Task listing;
        lock (_gate)
        {
            listing = _listing is { IsCompleted: false } running ? running : _listing = list(call, CancellationToken.None);
        }

        await listing.WaitAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask<ToolEntry?> ListAndFindAsync(RequestContext call, string name, CancellationToken ct)
    {
        await ListAsync(call, ct).ConfigureAwait(false);
        return Find(name);
    }

    // Under the lock.
    private void Publish(IReadOnlyDictionary<string, ToolEntry> entries)
    {
        Volatile.Write(ref _tools, entries.ToFrozenDictionary(StringComparer.Ordinal));
        Volatile.Write(
            ref _exactNames,
            entries.Values.Where(static entry => entry.IsQualified).ToFrozenDictionary(static entry => entry.ListedName, static entry => entry.Definition.Name, StringComparer.Ordinal));
    }
}
