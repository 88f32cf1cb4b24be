using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Every public way to send something through an SDK client ends at the guard.</summary>
[TestFixture]
internal sealed class EveryWayOutTests
{
    private static IEnumerable<string> Ways() => SendingMembers.All.Select(way => way.Name);

    [Test]
    public void Sdk_EveryTypeThatHoldsAClient_IsCovered() =>
        Assert.That(
            SendingMembers.TypesThatHoldAClient(),
            Is.SubsetOf(SendingMembers.Types),
            "the SDK has a type with a client inside that this suite does not try; add it to SendingMembers.Types");

    [Test]
    public void Sdk_EveryMember_CanBeCalledByTheSuite() =>
        Assert.That(
            SendingMembers.All.Where(way => way.Problem is not null).Select(way => $"{way.Name}: {way.Problem}"),
            Is.Empty,
            "the SDK has a member that this suite cannot call; teach SendingMembers its arguments (or list it as silent, where it sends nothing)");

    [TestCaseSource(nameof(Ways))]
    public async Task DenyAll_MemberOfTheSdk_NothingReachesTheServer(string name)
    {
        SendingMember way = SendingMembers.All.Single(candidate => candidate.Name == name);
        var server = new RawServer();
        var gate = new DenyEverything { IsOpen = true };
        await using var guard = new GuardFixture(
            settings => settings.With("allowCompletion", "true").Allow("all", rule => rule.Tools("*").Resources("*").Prompts("*")),
            builder => builder.AddStage(gate, before: GuardStages.KillSwitch));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();

        gate.IsOpen = false;
        int before = server.Received.Count;
        Exception? failure = await way.CallAsync(client);
        Assert.That(server.Received.Skip(before), Is.Empty);
        Assert.That(failure, Is.Null.Or.InstanceOf<McpException>(), "the member failed before it sent anything: the test would show nothing");

        if (!way.IsNotification)
        {
            // The same call with the gate open does arrive: what stopped it was the guard.
            gate.IsOpen = true;
            Task<Exception?> sent = way.CallAsync(client);
            await Eventually.True(() => server.Received.Count > before);
            await sent;
        }
    }

    [TestCase("tasks/get")]
    [TestCase("tasks/cancel")]
    [TestCase("tools/Call")]
    [TestCase("tools/call ")]
    [TestCase("x/y")]
    public async Task SendRequest_MethodNotInTheTable_DeniedAndRecorded(string method)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        int before = server.Received.Count;

        var denial = await Assert.ThrowsAsync<McpGuardException>(async () => await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = new JsonObject() }));

        Assert.That(denial!.Code, Is.EqualTo(GuardDenialCodes.MethodNotAllowed));
        Assert.That(server.Received.Skip(before), Is.Empty);
        Assert.That(guard.Audit.OfKind(AuditKind.Denial).Select(record => record.Method), Does.Contain(method));
    }

    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["test://open","test://secret"]}}""")]
    [TestCase("resources/subscribe", """{"uri":"test://secret"}""")]
    [TestCase("resources/read", """{"uri":"test://secret"}""")]
    public async Task SendRequest_ResourceThatARuleDenies_DeniedInEveryFormOfAsking(string method, string parameters)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Deny("no", rule => rule.Resources("test://secret*")));
        await using McpClient client = await guard.ConnectAsync(server);
        int before = server.Received.Count;

        var denial = await Assert.ThrowsAsync<McpGuardException>(async () => await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = JsonNode.Parse(parameters) }));

        Assert.That(denial!.Code, Is.EqualTo(GuardDenialCodes.RuleDenied));
        Assert.That(server.Received.Skip(before), Is.Empty);
    }

    private sealed class DenyEverything : IGuardStage<GuardRequestContext>
    {
        private static readonly HashSet<string> Handshake = new(StringComparer.Ordinal) { "initialize", "server/discover" };

        public bool IsOpen { get; set; }

        public string Name => "deny-everything";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) =>
            new(IsOpen || Handshake.Contains(context.Method) ? GuardDecision.Continue : GuardDecision.Deny(GuardDenialCodes.RuleDenied, "everything is denied"));
    }
}
