using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What a server's texts may refer to: images and elements of other hosts, and links that carry data away in their query.</summary>
internal sealed class RemoteReferencePolicy
{
    private readonly FrozenSet<string> allowedHosts;

    /// <param name="resources">What happens to images and elements that load from, or submit to, another host.</param>
    /// <param name="linksWithQuery">What happens to Markdown and HTML links with a query; a link opens only when a person clicks.</param>
    /// <param name="allowedHosts">Hosts that pass, without port; <c>*.example.org</c> stands for every host below that name.</param>
    public RemoteReferencePolicy(
        RemoteReferenceAction resources = RemoteReferenceAction.Defang,
        RemoteReferenceAction linksWithQuery = RemoteReferenceAction.Keep,
        IEnumerable<string>? allowedHosts = null)
    {
        Resources = resources;
        LinksWithQuery = linksWithQuery;
        this.allowedHosts = (allowedHosts ?? []).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Images and elements of other hosts are defanged, links are kept, no host is allowed.</summary>
    public static RemoteReferencePolicy Default { get; } = new();

    public RemoteReferenceAction Resources { get; }

    public RemoteReferenceAction LinksWithQuery { get; }

    public bool Allows(string host)
    {
        if (allowedHosts.Count == 0 || host.Length == 0)
        {
            return false;
        }

        if (allowedHosts.Contains(host))
        {
            return true;
        }

        for (int dot = host.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.IndexOf('.', dot + 1))
        {
            if (allowedHosts.Contains("*" + host[dot..]))
            {
                return true;
            }
        }

        return false;
    }
}
