using System.Security.Claims;
using Mcp.Guard.Gateway;
using ModelContextProtocol.Client;

namespace Mcp.Guard;

/// <summary>What a gateway is to the guard: the id of its own tools in the policy, the servers that it passes calls on to, and who its users are.</summary>
public sealed class McpGuardGatewayOptions
{
    private readonly List<GatewayForwarding> _forwarded = [];

    /// <summary>
    /// The id under which the policy names the gateway's own tools, resources and prompts (a server with <c>"hostProvided": true</c>). Default
    /// <c>gateway</c>. Where the policy names no such server, everything of the gateway's own is denied and not listed.
    /// </summary>
    public string ServerId { get; set; } = "gateway";

    /// <summary>
    /// Who an authenticated request is. Null, the default, takes the one value of the claims <see cref="ClaimTypes.NameIdentifier"/> and <c>sub</c> with its
    /// issuer as the user and the claim <c>sid</c>, where there is one, as the session. What it returns null for, or throws for, has no caller.
    /// Nothing that a client sends beside its authenticated identity reaches this delegate.
    /// </summary>
    public Func<ClaimsPrincipal, GuardCaller?>? CallerOf { get; set; }

    /// <summary>
    /// The user of a gateway that one process of this machine started and speaks to through its standard streams. Default: the account that the gateway runs
    /// under. Null: such a gateway has no caller. Without meaning where the host also serves HTTP.
    /// </summary>
    public string? LocalUser { get; set; } = Environment.UserName is { Length: > 0 } name ? name : "local";

    /// <summary>
    /// Whether tools and prompts of the servers that requests are passed on to are offered as <c>server__name</c>. Default true. False offers them under the
    /// server's own names, and is allowed with exactly one such server; a tool of the gateway's own that has the same name is then denied.
    /// </summary>
    public bool QualifyNames { get; set; } = true;

    /// <summary>The servers that the gateway offers.</summary>
    public IReadOnlyList<string> Forwarded => [.. _forwarded.Select(static forwarding => forwarding.ServerId)];

    internal IReadOnlyList<GatewayForwarding> Forwardings => _forwarded;

    /// <summary>
    /// Offers what a guarded server has: tools and prompts as <c>server__name</c>, resources, templates and subscriptions by their URIs (by
    /// <c>mcp-guard.server+uri</c> where another server offers the same), completion where the policy allows it. A request is judged once, at the transport of that
    /// server, on behalf of the gateway's user. One connection, made when it is first needed, serves all users.
    /// </summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <exception cref="ArgumentException">The server is named already.</exception>
    public McpGuardGatewayOptions Forward(string serverId) => Add(serverId, null);

    /// <summary>The same for a server that the policy leaves to the host (<c>"hostProvided": true</c>).</summary>
    /// <param name="serverId">The server's id in the policy.</param>
    /// <param name="transport">Makes a transport each time a connection is needed. The guard goes around it.</param>
    /// <exception cref="ArgumentException">The server is named already.</exception>
    public McpGuardGatewayOptions Forward(string serverId, Func<IClientTransport> transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        return Add(serverId, transport);
    }

    private McpGuardGatewayOptions Add(string serverId, Func<IClientTransport>? transport)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverId);
        if (_forwarded.Exists(known => string.Equals(known.ServerId, serverId, StringComparison.Ordinal)))
        {
            throw new ArgumentException($"Calls to the server '{serverId}' are passed on already.", nameof(serverId));
        }

        _forwarded.Add(new GatewayForwarding(serverId, transport));
        return this;
    }
}
