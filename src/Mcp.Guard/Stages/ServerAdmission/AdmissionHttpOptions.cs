using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What a guarded HTTP connection of one server may do beyond its allowlist.</summary>
internal sealed class AdmissionHttpOptions
{
    /// <summary>Follows redirects to other listed origins, without body and without credentials; else only on the same origin.</summary>
    public bool FollowToOtherOrigins { get; init; }

    /// <summary>The OAuth URLs that may be used, each exactly.</summary>
    public AuthorizationUrls Authorization { get; init; } = AuthorizationUrls.None;

    /// <summary>Headers of every request to the server itself, never of one to an OAuth URL.</summary>
    public Func<CancellationToken, ValueTask<IReadOnlyList<KeyValuePair<string, string>>>> Headers { get; init; } = static _ => new([]);

    /// <summary>
    /// Uses the proxies that the host's environment names. What a name resolves to is then the proxy's matter and is not judged; the URL is.
    /// </summary>
    public bool UseEnvironmentProxy { get; init; }

    /// <summary>The longest response body in bytes, and the longest single event of an event stream.</summary>
    public long MaxResponseBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Told when <see cref="MaxResponseBytes"/> is passed, in the flow of control that reads the response; must not throw.</summary>
    public Action<MessageTooLargeException>? ResponseTooLarge { get; init; }

    /// <summary>The longest time to connect, DNS and TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection is reused: after that DNS is asked and judged again.</summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Who answers for names.</summary>
    public IAddressResolver Resolver { get; init; } = SystemAddressResolver.Instance;

    /// <summary>Changes the handler that connects, for client certificates and private roots of trust; it runs before the rules are set.</summary>
    public Action<SocketsHttpHandler>? Configure { get; init; }
}
