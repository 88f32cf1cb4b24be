using Mcp.Guard;
using Mcp.Guard.Gateway;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Server;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts the guard into a host that is itself an MCP server.</summary>
public static class McpGuardServerBuilderExtensions
{
    /// <summary>
    /// Makes an MCP server a guarded gateway: each request runs on behalf of its authenticated user, what the policy asks about is asked through the client's
    /// elicitation (unless <c>UseConsent</c> or <c>DenyInsteadOfAsking</c> says otherwise), and the gateway's own tools, resources and prompts are judged by
    /// the policy. Calls that it passes on to guarded servers are judged once, at their transport. A request without an authenticated user is denied unless the
    /// policy says <c>"requireCaller": false</c>. <c>AddMcpGuard</c> must be called too. Calling it again adds nothing.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="configure">Says what the gateway's own tools are called in the policy and which servers it passes calls on to.</param>
    public static IMcpServerBuilder WithMcpGuard(this IMcpServerBuilder builder, Action<McpGuardGatewayOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (configure is not null)
        {
            builder.Services.Configure(configure);
        }

        if (builder.Services.Any(static descriptor => descriptor.ServiceType == typeof(GatewayRegistration)))
        {
            return builder;
        }

        builder.Services.AddOptions();
        builder.Services.AddSingleton(new GatewayRegistration(builder.Services));
        builder.Services.AddSingleton<GatewayServer>();
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<McpServerOptions>, GatewaySetup>());
        builder.Services.AddHostedService<GatewayStartup>();
        return builder;
    }
}
