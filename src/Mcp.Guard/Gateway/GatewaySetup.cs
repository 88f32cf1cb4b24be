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
        filters.ListPromptsFilters.Insert(0, next => gateway.Judged(RequestMethods.PromptsList, next));
        filters.GetPromptFilters.Insert(0, next => gateway.Judged(RequestMethods.PromptsGet, next));
        filters.ListResourcesFilters.Insert(0, next => gateway.Judged(RequestMethods.ResourcesList, next));
        filters.ListResourceTemplatesFilters.Insert(0, next => gateway.Judged(RequestMethods.ResourcesTemplatesList, next));
        filters.ReadResourceFilters.Insert(0, next => gateway.Judged(RequestMethods.ResourcesRead, next));
        filters.SubscribeToResourcesFilters.Insert(0, next => gateway.Judged(RequestMethods.ResourcesSubscribe, next));
        filters.UnsubscribeFromResourcesFilters.Insert(0, next => gateway.Judged(RequestMethods.ResourcesUnsubscribe, next));
        filters.CompleteFilters.Insert(0, next => gateway.Judged(RequestMethods.CompletionComplete, next));
        if (gateway.ForwardsAny)
        {
            // Without a handler, a tool or a capability the SDK serves no tool methods at all.
            options.Capabilities ??= new ServerCapabilities();
            options.Capabilities.Tools ??= new ToolsCapability();
        }
    }
}
