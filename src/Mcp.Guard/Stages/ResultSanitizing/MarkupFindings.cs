namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What the Markdown and HTML readers found in one text: addresses that load, links with data, and flags. Nothing is allocated before the first address.</summary>
internal struct MarkupFindings
{
    private const int RecentHosts = 16;

    private List<MarkupAddress>? resources;
    private List<MarkupAddress>? links;
    private string?[]? recentHosts;

    /// <summary>Addresses of images and elements that load from, or submit to, a host.</summary>
    public readonly IReadOnlyList<MarkupAddress> Resources => resources ?? (IReadOnlyList<MarkupAddress>)[];

    /// <summary>Addresses of links that carry a query.</summary>
    public readonly IReadOnlyList<MarkupAddress> Links => links ?? (IReadOnlyList<MarkupAddress>)[];

    /// <summary>A comment or a folded section: suspicious in a description, ordinary in a document.</summary>
    public bool HidesInDescriptions { get; set; }

    public ContentFlags Flags { get; set; }

    public void AddResource(MarkupAddress address) => (resources ??= []).Add(address);

    /// <summary>A host's name as a string; the same one for a name that was met shortly before, so that a text full of one host does not fill the memory with it.</summary>
    public string HostName(ReadOnlySpan<char> host)
    {
        recentHosts ??= new string?[RecentHosts];
        ref string? kept = ref recentHosts[((host.Length * 31) + host[0] + host[^1]) % RecentHosts];
        if (kept is null || !host.SequenceEqual(kept))
        {
            kept = host.ToString();
        }

        return kept;
    }

    public void AddLink(MarkupAddress address) => (links ??= []).Add(address);
}
