using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The host's client options as the policy lets them be: handlers for what is off are left out, so that the capability is not offered at all, and roots are
/// answered from the policy.
/// </summary>
internal static class ClientOptionsFilter
{
    public static McpClientOptions Apply(McpClientOptions? given, ServerSettings settings)
    {
        McpClientHandlers? handlers = given?.Handlers;
        var own = new McpClientOptions
        {
            ClientInfo = given?.ClientInfo,
            InitializeMeta = null, // an open channel to the server that no control looks into
            ProtocolVersion = VersionFor(given?.ProtocolVersion, settings.Endpoint),
            InitializationTimeout = given?.InitializationTimeout ?? TimeSpan.FromSeconds(60),
            Handlers = new McpClientHandlers { NotificationHandlers = handlers?.NotificationHandlers },
        };
        if (given is not null)
        {
            own.DiscoverProbeTimeout = given.DiscoverProbeTimeout;
        }

        if (settings.Sampling.Allowed)
        {
            own.Handlers.SamplingHandler = handlers?.SamplingHandler;
        }

        if (settings.Elicitation.Allowed)
        {
            own.Handlers.ElicitationHandler = handlers?.ElicitationHandler;
            if (handlers?.ElicitationHandler is not null)
            {
                own.Capabilities = new ClientCapabilities
                {
                    Elicitation = new ElicitationCapability
                    {
                        Form = settings.Elicitation.Form ? new FormElicitationCapability() : null,
                        Url = settings.Elicitation.Url ? new UrlElicitationCapability() : null,
                    },
                };
            }
        }

        if (settings.Roots.Count > 0)
        {
            own.Handlers.RootsHandler = (_, _) => new(new ListRootsResult { Roots = [.. settings.Roots.Select(ServerAnswers.RootOf)] });
        }

        return own;
    }

    /// <summary>
    /// Legacy SSE knows no version without sessions. The SDK, which cannot see through the guard what the transport is, would send such a server a
    /// <c>server/discover</c> that it does not know.
    /// </summary>
    private static string? VersionFor(string? given, ServerEndpoint endpoint) =>
        endpoint is UrlEndpoint { Transport: UrlTransport.Sse } && (given is null || MethodTable.IsStateless(given)) ? "2025-11-25" : given;
}
