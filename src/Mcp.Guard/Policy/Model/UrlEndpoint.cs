using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>A server that is reached over HTTP.</summary>
internal sealed record UrlEndpoint : ServerEndpoint
{
    /// <summary>The exact URL, as the policy spells it.</summary>
    public required string Url { get; init; }

    public UrlTransport Transport { get; init; }

    /// <summary>Whether the name may resolve to private addresses (never link-local or metadata).</summary>
    public bool AllowPrivate { get; init; }

    /// <summary>Whether proxies of the host's environment are used.</summary>
    public bool UseEnvironmentProxy { get; init; }

    /// <summary>Headers of every request. Names compare without case.</summary>
    public FrozenDictionary<string, PolicyValue> Headers { get; init; } = FrozenDictionary<string, PolicyValue>.Empty;

    /// <summary>OAuth metadata, authorization, token and registration URLs that may be used.</summary>
    public IReadOnlyList<string> AuthorizationUrls { get; init; } = [];

    public override string Describe() => Url;
}
