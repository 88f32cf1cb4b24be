using System.Collections.Frozen;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Catalog;

/// <summary>The tools that a server listed over one connection. Readers take no lock; a new list replaces the old one when its last page has come.</summary>
internal sealed class ToolCatalog(ConnectionState connection)
{
    /// <summary>The tools that one server may list.</summary>
    public const int MaxTools = 10_000;

    private readonly Lock _gate = new();
    private Task? _listing;
    private FrozenDictionary<string, ToolEntry> _tools = FrozenDictionary<string, ToolEntry>.Empty;
    private Dictionary<string, ToolEntry>? _pages;
    private int _stale = 1;

    /// <summary>Where the next page starts; null after the last.</summary>
    public string? NextCursor { get; private set; }

    /// <summary>True where the server said that its list changed, or none was seen.</summary>
    public bool IsStale => Volatile.Read(ref _stale) != 0;

    /// <summary>Every tool that may be called or is refused for a reason.</summary>
    public IReadOnlyDictionary<string, ToolEntry> Tools => Volatile.Read(ref _tools);

    /// <summary>True from the first page of a server's first sight to the last one: its other pages are first sight too.</summary>
    public bool IsPinningFirstSight { get; set; }

    public ToolEntry? Find(string name) => Volatile.Read(ref _tools).TryGetValue(name, out ToolEntry? entry) ? entry : null;

    public void MarkStale() => Volatile.Write(ref _stale, 1);

    /// <summary>Takes one page: a first page starts a new list.</summary>
    public void Take(IReadOnlyList<ToolEntry> page, bool isFirst, string? nextCursor)
    {
        lock (_gate)
        {
            if (isFirst || _pages is null)
            {
                _pages = new Dictionary<string, ToolEntry>(StringComparer.Ordinal);
            }

            foreach (ToolEntry entry in page)
            {
                _pages[entry.Definition.Name] = entry;
            }

            NextCursor = nextCursor;
            if (nextCursor is null)
            {
                Volatile.Write(ref _tools, _pages.ToFrozenDictionary(StringComparer.Ordinal));
                _pages = null;
                IsPinningFirstSight = false;
                Volatile.Write(ref _stale, 0);
            }
            else
            {
                // Tools of an unfinished list can be called; what the old list had stays until the last page has come.
                var both = new Dictionary<string, ToolEntry>(_tools, StringComparer.Ordinal);
                foreach (var (name, entry) in _pages)
                {
                    both[name] = entry;
                }

                Volatile.Write(ref _tools, both.ToFrozenDictionary(StringComparer.Ordinal));
            }

        }
    }

    /// <summary>How many tools the pages of the unfinished list hold.</summary>
    public int PendingCount
    {
        get
        {
            lock (_gate)
            {
                return _pages?.Count ?? 0;
            }
        }
    }

    /// <summary>Whether the unfinished list already has a tool of this name.</summary>
    public bool PendingHas(string name)
    {
        lock (_gate)
        {
            return _pages?.ContainsKey(name) == true;
        }
    }

    /// <summary>Finds a tool; one that is not known, or a list that is stale, makes the guard list first.</summary>
    public ValueTask<ToolEntry?> ResolveAsync(RequestContext call, CancellationToken ct)
    {
        string name = call.TargetName!;
        return !IsStale && Find(name) is { } known ? new(known) : ListAndFindAsync(call, name, ct);
    }

    private async ValueTask<ToolEntry?> ListAndFindAsync(RequestContext call, string name, CancellationToken ct)
    {
        if (connection.ListTools is not { } list)
        {
            return Find(name);
        }

        // One list serves all calls that wait for it; it does not end with the call that happened to start it.
        Task listing;
        lock (_gate)
        {
            listing = _listing is { IsCompleted: false } running ? running : _listing = list(call, CancellationToken.None);
        }

        await listing.WaitAsync(ct).ConfigureAwait(false);
        return Find(name);
    }
}
