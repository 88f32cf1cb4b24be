namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What the Markdown and HTML readers found in one text: addresses that load, links with data, and flags.</summary>
internal sealed class MarkupFindings
{
    /// <summary>Addresses of images and elements that load from, or submit to, a host.</summary>
    public List<MarkupAddress> Resources { get; } = [];

    /// <summary>Addresses of links that carry a query.</summary>
    public List<MarkupAddress> Links { get; } = [];

    /// <summary>A comment or a folded section: suspicious in a description, ordinary in a document.</summary>
    public bool HidesInDescriptions { get; set; }

    public ContentFlags Flags { get; set; }
}
