using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Gateway;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>The connection that calls are passed on over: which one, and who may hold it up.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GatewayForwardTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string _work = Directory.CreateTempSubdirectory("mcp-guard-forward-").FullName;
    private readonly List<RawServer> _servers = [];
    private readonly ServiceProvider _services;
    private readonly GatewayForward _forward;

    public GatewayForwardTests()
    {
        Write(asks: false);
        var services = new ServiceCollection();
        services.AddMcpGuard(PolicyPath).UseAudit(new AuditCollector()).DenyInsteadOfAsking();
        _services = services.BuildServiceProvider();
        _forward = new GatewayForward(
            Host,
            "behind",
            () =>
            {
                var server = new RawServer { OnCall = OnCall };
                _servers.Add(server);
                return server;
            },
            new GatewayAudience(TimeProvider.System),
            qualifies: true,
            Limit,
            NullLogger.Instance);
    }

    private string PolicyPath => Path.Combine(_work, "mcp-guard.json");

    private McpGuardHost Host => _services.GetRequiredService<McpGuardHost>();

    private Func<JsonRpcRequest, RawServer, CancellationToken, Task>? OnCall { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _forward.DisposeAsync();
        await _services.DisposeAsync();
        Directory.Delete(_work, recursive: true);
    }

    [Test]
    public async Task Call_OnceThePolicyLetsTheServerAsk_GoesOverTheNewConnection()
    {
        await _forward.ListToolsAsync(CancellationToken.None);
        Assert.That((await CallAsync())["isError"], Is.Null);

        Write(asks: true);
        ((PolicyFileSource)Host.Runtime.Policy).Reload();
        await _servers[0].DisposeAsync();
        await Eventually.TrueAsync(async () => await TextAsync() == "{}");
        Assert.That(_servers[1].Calls, Has.Count.GreaterThanOrEqualTo(1));
    }

    [Test]
    public async Task Call_OnceThePolicyLetsTheServerAsk_MakesTheConnectionAgainWhereNobodyElseUsesIt()
    {
        OnCall = static (_, _, _) => Task.CompletedTask;
        await _forward.ListToolsAsync(CancellationToken.None);
        Task<JsonObject> runs = CallAsync();
        await Eventually.True(() => _servers[0].Calls.Count == 1);

        Write(asks: true);
        ((PolicyFileSource)Host.Runtime.Policy).Reload();
        Task<JsonObject> beside = CallAsync();
        await Eventually.True(() => _servers[0].Calls.Count == 2);
        Assert.That(_servers, Has.Count.EqualTo(1), "a call that runs is not cut off");
        foreach (JsonRpcRequest open in _servers[0].Calls)
        {
            _servers[0].Reply(open.Id, RawServer.TextResult("done"));
        }

        await Task.WhenAll(runs, beside);
        OnCall = null;
        await CallAsync();
        Assert.That(_servers, Has.Count.EqualTo(2), "the server is told what it may ask now");
        Assert.That(CapabilitiesToldTo(_servers[1]), Does.Contain("elicitation"));
        Assert.That(CapabilitiesToldTo(_servers[0]), Does.Not.Contain("elicitation"));

        Write(asks: false);
        ((PolicyFileSource)Host.Runtime.Policy).Reload();
        await CallAsync();
        Assert.That(_servers, Has.Count.EqualTo(2), "what is refused needs no new connection");
    }

    private static string CapabilitiesToldTo(RawServer server) => string.Concat(server.Received.OfType<JsonRpcRequest>().Select(static request => request.Params?.ToJsonString()));

    [Test]
    public async Task Halt_WhileTheClientDoesNotRead_ReachesTheServerForEveryCall()
    {
        OnCall = static (_, _, _) => Task.CompletedTask;
        await _forward.ListToolsAsync(CancellationToken.None);
        using var reads = new ManualResetEventSlim();
        Task<JsonObject>[] calls = [CallAsync(), CallAsync(), CallAsync()];
        Task[] taken = [.. calls.Select(call => call.ContinueWith(
            _ => reads.Wait(Limit * 6), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default))];
        await Eventually.True(() => _servers[0].Calls.Count == 3);

        Task halted = Task.Run(() => Host.HaltAsync(HaltScope.Everything, "test").AsTask());
        try
        {
            await Eventually.True(() => _servers[0].Received.OfType<JsonRpcNotification>().Count(told => told.Method == "notifications/cancelled") == 3, Limit * 3);
            await halted.WaitAsync(Limit);
        }
        finally
        {
            reads.Set();
            await Task.WhenAll(taken);
        }

        Assert.That((await Task.WhenAll(calls)).Select(static result => result.ToJsonString()), Has.All.Contains("[halted]"));
    }

    /// <summary>Null while the connection that has ended is still the one that is there.</summary>
    private async Task<string?> TextAsync()
    {
        try
        {
            return (string?)(await CallAsync())["content"]?[0]?["text"];
        }
        catch (McpGuardException refused) when (refused.Code == GuardDenialCodes.ServerUnavailable)
        {
            return null;
        }
    }

    private Task<JsonObject> CallAsync()
    {
        var caller = new GuardCaller("ada", "s");
        using IDisposable scope = Host.BeginScope(caller);
        return _forward.CallAsync("echo", JsonSerializer.SerializeToElement(new JsonObject()), new RelayedCall(caller, null!, null, null, null, TimeProvider.System), CancellationToken.None);
    }

    private void Write(bool asks) => File.WriteAllText(PolicyPath, new JsonObject
    {
        ["stateDirectory"] = Path.Combine(_work, "state"),
        ["servers"] = new JsonObject
        {
            ["behind"] = new JsonObject
            {
                ["hostProvided"] = true,
                ["rules"] = JsonNode.Parse("""{"all":{"effect":"allow","tools":["echo"],"rateLimit":{"permits":1000,"per":"1s"}}}"""),
                ["elicitation"] = new JsonObject { ["allow"] = asks },
            },
        },
    }.ToJsonString());
}
