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

        // Neither the tools of the host nor the context of other servers is ever offered, whatever the host says that it can.
        var capabilities = new ClientCapabilities();
        if (settings.Sampling.Allowed && handlers?.SamplingHandler is { } sampling)
        {
            own.Handlers.SamplingHandler = sampling;
            capabilities.Sampling = new SamplingCapability { Context = settings.Sampling.AllowContext ? given!.Capabilities?.Sampling?.Context : null };
            own.Capabilities = capabilities;
        }

        if (settings.Elicitation is { Allowed: true } elicitation && (elicitation.Form || elicitation.Url) && handlers?.ElicitationHandler is { } asking)
        {
            own.Handlers.ElicitationHandler = asking;

            // A host that says that it shows only one kind is not asked for the other.
            ElicitationCapability? able = given!.Capabilities?.Elicitation;
            bool isTold = able is { Form: not null } or { Url: not null };
            capabilities.Elicitation = new ElicitationCapability
            {
                Form = elicitation.Form && (!isTold || able!.Form is not null) ? new FormElicitationCapability() : null,
                Url = elicitation.Url && (!isTold || able!.Url is not null) ? new UrlElicitationCapability() : null,
            };
            own.Capabilities = capabilities;
            if (capabilities.Elicitation is { Form: null, Url: null })
            {
                // Without either, an empty capability would mean forms.
                own.Handlers.ElicitationHandler = null;
                capabilities.Elicitation = null;
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
