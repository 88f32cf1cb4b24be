using System.Text.Json;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Mcp.Guard.Redis.Tests;

/// <summary>Two guards of two hosts that share one server, through the public builder.</summary>
[TestFixture]
internal sealed class RedisGuardTests
{
    private RedisServer _server = null!;
    private string _state = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await RedisServer.StartAsync();
        _state = Directory.CreateTempSubdirectory("mcp-guard-redis-tests-").FullName;
    }

    [TearDown]
    public async Task Stop()
    {
        await (_server?.DisposeAsync() ?? default);
        if (_state is not null)
        {
            Directory.Delete(_state, recursive: true);
        }
    }

    [Test]
    public async Task TwoHosts_OneCaller_ShareTheRate()
    {
        string prefix = TestLink.NewPrefix();
        using IHost first = await HostAsync(prefix);
        using IHost second = await HostAsync(prefix);
        int admitted = 0;
        for (int i = 0; i < 4; i++)
        {
            admitted += await CallAsync(first) is null ? 1 : 0;
            admitted += await CallAsync(second) is null ? 1 : 0;
        }

        Assert.That(admitted, Is.EqualTo(3));
    }

    [Test]
    public async Task HaltOnOneHost_DeniesOnTheOther()
    {
        string prefix = TestLink.NewPrefix();
        using IHost first = await HostAsync(prefix);
        using IHost second = await HostAsync(prefix);
        Assert.That(await CallAsync(second), Is.Null);
        await first.Services.GetRequiredService<IMcpGuard>().HaltAsync(HaltScope.Everything, "test");
        await Eventually.True(async () => await CallAsync(second) == GuardDenialCodes.Halted);
        await first.Services.GetRequiredService<IMcpGuard>().ResumeAsync(HaltScope.Everything);
        await Eventually.True(async () => await CallAsync(second) != GuardDenialCodes.Halted);
    }

    [Test]
    public async Task HealthCheck_ServerThere_ThenGone_SaysSo()
    {
        using IHost host = await HostAsync(TestLink.NewPrefix());
        HealthCheckService health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.That((await health.CheckHealthAsync()).Status, Is.EqualTo(HealthStatus.Healthy));
        await _server.StopAsync();
        Assert.That((await health.CheckHealthAsync()).Status, Is.EqualTo(HealthStatus.Unhealthy));
    }

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("{tag}")]
    public void UseRedis_UnusablePrefix_NamesTheOption(string prefix) =>
        Assert.That(
            () => new ServiceCollection().AddMcpGuard().UseRedis("127.0.0.1", options => options.KeyPrefix = prefix),
            Throws.ArgumentException.With.Message.Contains(nameof(RedisGuardOptions.KeyPrefix)));

    private async Task<IHost> HostAsync(string prefix)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHealthChecks().AddMcpGuardRedis();
        builder.Services
            .AddMcpGuard(policy => policy
                .StateDirectory(Path.Combine(_state, Guid.NewGuid().ToString("N")))
                .Server("test", server => server.HostProvided().Allow("all", rule => rule.Tools("read").RateLimit(3, TimeSpan.FromHours(1)))))
            .UseAudit(new AuditCollector())
            .DenyInsteadOfAsking()
            .UseRedis(_server.Configuration(), options =>
            {
                options.KeyPrefix = prefix;
                options.OperationTimeout = TimeSpan.FromSeconds(5);
            });
        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>Lists the tools and calls one, as a host without the SDK does; the code of the denial, or null.</summary>
    private static async Task<string?> CallAsync(IHost host)
    {
        IMcpGuard guard = host.Services.GetRequiredService<IMcpGuard>();
        GuardConnection connection = guard.OpenConnection("test");
        var caller = new GuardCaller("ada", "s1");
        await using (GuardEvaluation list = await guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", default, caller)))
        {
            if (!list.IsAllowed)
            {
                return list.Denial!.Code;
            }

            using JsonDocument tools = JsonDocument.Parse("""{"tools":[{"name":"read","inputSchema":{"type":"object"}}]}""");
            await list.CompleteAsync(tools.RootElement);
        }

        await using GuardEvaluation call = await guard.Policy.EvaluateAsync(connection.CreateRequest("tools/call", """{"name":"read","arguments":{}}"""u8, caller));
        return call.IsAllowed ? null : call.Denial!.Code;
    }
}
