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

/// <summary>What becomes of subscriptions that stand alone, with no request beside them, when the connection is made again because the policy newly lets the server ask.</summary>
[TestFixture("2025-11-25")]
[TestFixture("2026-07-28")]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GatewaySubscriptionTests : IAsyncDisposable
{
    private static readonly GuardCaller Ada = new("ada", "s");

    private readonly string _work = Directory.CreateTempSubdirectory("mcp-guard-subscriptions-").FullName;
    private readonly ConformingServer _server;
    private readonly ServiceProvider _services;
    private readonly GatewayAudience _audience = new(TimeProvider.System);
    private readonly GatewaySubscriber _subscriber = new(null!, Ada, new RequestId("listen-1"), TimeProvider.System) { IsOpen = true };
    private readonly GatewayForward _forward;

    public GatewaySubscriptionTests(string era)
    {
        _server = new ConformingServer("behind", era);
        Write(asks: false, denied: "test://never");
        var services = new ServiceCollection();
        services.AddMcpGuard(PolicyPath).UseAudit(new AuditCollector()).DenyInsteadOfAsking();
        _services = services.BuildServiceProvider();
        _forward = new GatewayForward(Host, "behind", _server.Connect, _audience, qualifies: true, TimeSpan.FromSeconds(10), NullLogger.Instance);
        _audience.TryAdd(_subscriber);
    }

    private string PolicyPath => Path.Combine(_work, "mcp-guard.json");

    private McpGuardHost Host => _services.GetRequiredService<McpGuardHost>();

    public async ValueTask DisposeAsync()
    {
        await _forward.DisposeAsync();
        await _services.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_work, recursive: true);
    }

    [Test]
    public async Task Subscription_ThatStandsAlone_OutlivesAConnectionThatIsMadeAgain()
    {
        await SubscribeAsync("test://a");
        await MakeAgainAsync(denied: "test://never");
        await SubscribedAgain("test://a");
    }

    [TestCase("test://a")]
    [TestCase("test://b")]
    [TestCase("test://c")]
    public async Task Subscription_WhoseNeighbourIsRefusedNow_OutlivesAConnectionThatIsMadeAgain(string refused)
    {
        string[] all = ["test://a", "test://b", "test://c"];
        foreach (string uri in all)
        {
            await SubscribeAsync(uri);
        }

        await MakeAgainAsync(denied: refused);
        await SubscribedAgain([.. all.Where(uri => uri != refused)]);
        Assert.That(_server.SubscribedTo, Has.Exactly(1).EqualTo(refused), "what the policy refuses now does not reach the server again");
    }

    /// <summary>The next call, alone on the connection, has it made again, for the server may ask now.</summary>
    private async Task MakeAgainAsync(string denied)
    {
        Write(asks: true, denied);
        ((PolicyFileSource)Host.Runtime.Policy).Reload();
        using IDisposable scope = Host.BeginScope(Ada);
        await _forward.CallAsync(
            "echo", JsonSerializer.SerializeToElement(new JsonObject { ["word"] = "x" }), new RelayedCall(Ada, null!, null, null, null, TimeProvider.System), CancellationToken.None);
        Assert.That(_server.Starts, Is.EqualTo(2));
    }

    private Task SubscribedAgain(params string[] uris) =>
        Eventually.True(() => Array.TrueForAll(uris, uri => _server.SubscribedTo.Count(other => other == uri) == 2));

    private async Task SubscribeAsync(string uri)
    {
        var subscription = new ResourceSubscription(_forward, uri, IsQualified: false, Ada);
        using IDisposable scope = Host.BeginScope(Ada);
        await _forward.SubscribeAsync(subscription, CancellationToken.None);
        _subscriber.Subscriptions[uri] = subscription;
    }

    private void Write(bool asks, string denied) => File.WriteAllText(PolicyPath, new JsonObject
    {
        ["stateDirectory"] = Path.Combine(_work, "state"),
        ["servers"] = new JsonObject
        {
            ["behind"] = new JsonObject
            {
                ["hostProvided"] = true,
                ["rules"] = new JsonObject
                {
                    ["all"] = JsonNode.Parse("""{"effect":"allow","tools":["echo"],"rateLimit":{"permits":1000,"per":"1s"}}"""),
                    ["no"] = new JsonObject { ["effect"] = "deny", ["resources"] = new JsonArray(denied) },
                },
                ["elicitation"] = new JsonObject { ["allow"] = asks },
            },
        },
    }.ToJsonString());
}
