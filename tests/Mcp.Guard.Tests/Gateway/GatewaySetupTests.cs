using System.IO.Pipelines;
using Mcp.Guard.Gateway;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>How a gateway is put together, and what stops its start.</summary>
[TestFixture]
internal sealed class GatewaySetupTests
{
    private static HostApplicationBuilder Builder(Action<GuardPolicyBuilder> policy)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        builder.Services.AddMcpGuard(policy).UseAudit(new AuditCollector());
        return builder;
    }

    [Test]
    public void Start_WithoutAddMcpGuard_SaysWhichCallIsMissing()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddMcpServer().WithMcpGuard();
        using IHost host = builder.Build();
        Assert.That(async () => await host.StartAsync(), Throws.TypeOf<McpGuardConfigurationException>().With.Message.Contains("AddMcpGuard"));
    }

    [Test]
    public void Start_ForwardsToAServerThatThePolicyDoesNotName_Stops()
    {
        HostApplicationBuilder builder = Builder(_ => { });
        builder.Services.AddMcpServer().WithMcpGuard(gateway => gateway.Forward("files"));
        using IHost host = builder.Build();
        Assert.That(async () => await host.StartAsync(), Throws.TypeOf<McpGuardConfigurationException>().With.Message.Contains("'files'"));
    }

    [Test]
    public void Start_OwnIdIsAServerElsewhere_Stops()
    {
        HostApplicationBuilder builder = Builder(policy => policy.Server("gateway", server => server.Url("https://example.test/mcp")));
        builder.Services.AddMcpServer().WithMcpGuard();
        using IHost host = builder.Build();
        Assert.That(async () => await host.StartAsync(), Throws.TypeOf<McpGuardConfigurationException>().With.Message.Contains("hostProvided"));
    }

    [Test]
    public void Forward_Twice_Throws() =>
        Assert.That(() => new McpGuardGatewayOptions().Forward("a").Forward("a"), Throws.ArgumentException);

    [Test]
    public void WithMcpGuard_CalledTwice_AddsNothing()
    {
        var services = new ServiceCollection();
        services.AddMcpGuard(_ => { }).UseAudit(new AuditCollector());
        services.AddMcpServer().WithMcpGuard().WithMcpGuard();
        using ServiceProvider provider = services.BuildServiceProvider();
        McpServerOptions options = provider.GetRequiredService<IOptions<McpServerOptions>>().Value;
        Assert.That(options.Filters.Message.IncomingFilters, Has.Count.EqualTo(1));
        Assert.That(options.Filters.Request.CallToolFilters, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task StreamGateway_UserIsTheAccountThatItRunsUnder()
    {
        var pair = new InMemoryTransportPair();
        var audit = new AuditCollector();
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        builder.Services.AddMcpGuard(policy => policy.Server("gateway", server => server.HostProvided().Allow("greet", "greet"))).UseAudit(audit);
        builder.Services.AddMcpServer().WithStreamServerTransport(pair.ServerInput, pair.ServerOutput).WithTools<OwnTools>()
            .WithMcpGuard(gateway => gateway.LocalUser = "local-user");
        using IHost host = builder.Build();
        await host.StartAsync();
        await using (McpClient client = await McpClient.CreateAsync(pair.ClientTransport, new McpClientOptions { ClientInfo = new Implementation { Name = "root", Version = "1" } }))
        {
            CallToolResult result = await client.CallToolAsync("greet", new Dictionary<string, object?> { ["name"] = "x" });
            Assert.That(result.IsError, Is.Not.True);
        }

        Assert.That(audit.Records.Single(record => record is { Kind: AuditKind.Intent, Method: "tools/call" }).UserId, Is.EqualTo("local-user"));
        await host.StopAsync();
    }
}
