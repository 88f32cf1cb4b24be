using Microsoft.Extensions.Options;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// Puts the gateway's filters before all others of the server. A filter that the host adds runs inside them: it sees what was judged, and its result is judged.
/// </summary>
internal sealed class GatewaySetup(GatewayServer gateway) : IPostConfigureOptions<McpServerOptions>
{
    public void PostConfigure(string? name, McpServerOptions options)
    {
        // The SDK itself refuses a CallToolWithAlternateHandler, which no filter would see, beside a filter of tool calls.
        options.Filters.Message.IncomingFilters.Insert(0, gateway.FilterMessage);
        McpRequestFilters filters = options.Filters.Request;
        filters.ListToolsFilters.Insert(0, gateway.FilterToolList);
        filters.CallToolFilters.Insert(0, gateway.FilterToolCall);
        filters.ListPromptsFilters.Insert(0, gateway.FilterPromptList);
        filters.GetPromptFilters.Insert(0, gateway.FilterPrompt);
        filters.ListResourcesFilters.Insert(0, gateway.FilterResourceList);
        filters.ListResourceTemplatesFilters.Insert(0, gateway.FilterTemplateList);
        filters.ReadResourceFilters.Insert(0, gateway.FilterRead);
        filters.SubscribeToResourcesFilters.Insert(0, gateway.FilterSubscribe);
        filters.UnsubscribeFromResourcesFilters.Insert(0, gateway.FilterUnsubscribe);
        filters.CompleteFilters.Insert(0, gateway.FilterCompletion);
        if (gateway.ForwardsAny)
        {
            // What the servers behind can do is not known before they are connected; a list of nothing is a true answer. Without a capability the SDK serves no
            // method of its kind at all.
            options.Capabilities ??= new ServerCapabilities();
            options.Capabilities.Tools ??= new ToolsCapability();
            options.Capabilities.Tools.ListChanged = true;
            options.Capabilities.Prompts ??= new PromptsCapability();
            options.Capabilities.Prompts.ListChanged = true;
            options.Capabilities.Resources ??= new ResourcesCapability();
            options.Capabilities.Resources.ListChanged = true;
            options.Capabilities.Resources.Subscribe = true;
            if (gateway.CanComplete)
            {
                options.Capabilities.Completions ??= new CompletionsCapability();
            }

            options.Filters.Message.OutgoingFilters.Insert(0, OrderedSends.FilterOutgoing);
            if (options.Handlers.SubscriptionsListenHandler is not null)
            {
                throw new McpGuardConfigurationException(
                    "A gateway that passes requests on answers subscriptions/listen itself. Remove the SubscriptionsListenHandler of this host, or Forward(...).");
            }

            options.Handlers.SubscriptionsListenHandler = gateway.ListenAsync;
        }
    }
}
