using System.Collections.Frozen;

namespace Mcp.Guard.Gateway;

/// <summary>What a server listed last of its resources and templates: by this the gateway tells whose a URI is.</summary>
/// <param name="Uris">The listed resources.</param>
/// <param name="Templates">The listed templates, and what each could expand to.</param>
/// <param name="ListedAt">The time stamp of the list.</param>
internal sealed record OfferedResources(FrozenSet<string> Uris, FrozenDictionary<string, UriTemplateShape> Templates, long ListedAt)
{
    public static OfferedResources None { get; } = new(FrozenSet<string>.Empty, FrozenDictionary<string, UriTemplateShape>.Empty, 0);

    /// <summary>Whether the server lists the resource, or a template that could expand to it.</summary>
    public bool Offers(string uri)
    {
        if (Uris.Contains(uri))
        {
            return true;
        }

        foreach (UriTemplateShape template in Templates.Values)
        {
            if (template.CouldBe(uri))
            {
                return true;
            }
        }

        return false;
    }
}
