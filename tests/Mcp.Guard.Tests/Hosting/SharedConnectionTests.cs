using System.Globalization;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Several users, or very many calls, on one connection.</summary>
[TestFixture]
internal sealed class SharedConnectionTests
{
    private static readonly GuardCaller Ada = new("ada", "s1");
    private static readonly GuardCaller Bob = new("bob", "s2");

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    [Test]
    public async Task TwoUsers_GrantOfOne_DoesNotCoverTheOther()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Ask("ask", "echo"));
        guard.Consent.Then(request => ConsentAnswer.AllowTool(request));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult first = await As(guard, Ada, () => client.CallToolAsync("echo"));
        CallToolResult again = await As(guard, Ada, () => client.CallToolAsync("echo"));
        CallToolResult other = await As(guard, Bob, () => client.CallToolAsync("echo"));

        Assert.Multiple(() =>
        {
            Assert.That(first.IsError, Is.Not.True);
            Assert.That(again.IsError, Is.Not.True, "covered by the grant");
            Assert.That(TextOf(other), Does.Contain("[consent-denied]"), "the script has no second answer");
            Assert.That(guard.Consent.Requests.Select(request => request.Caller), Is.EqualTo((GuardCaller[])[Ada, Bob]));
        });
    }

    [Test]
    public async Task TwoUsers_RateOfOne_DoesNotCountForTheOther()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Allow("all", "echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        for (int i = 0; i < 3; i++)
        {
            Assert.That((await As(guard, Ada, () => client.CallToolAsync("echo"))).IsError, Is.Not.True);
        }

        CallToolResult fourth = await As(guard, Ada, () => client.CallToolAsync("echo"));
        CallToolResult bobs = await As(guard, Bob, () => client.CallToolAsync("echo"));

        Assert.That(TextOf(fourth), Does.Contain("[rate-limited]").And.Contain("Retry after"));
        Assert.That(bobs.IsError, Is.Not.True);
    }

    [Test]
    public async Task TwoUsers_ServerRequestWhileBothCall_Refused()
    {
        var bothRun = new TaskCompletionSource();
        int running = 0;
        var server = new RawServer
        {
            OnCall = async (request, raw, _) =>
            {
                if (Interlocked.Increment(ref running) == 2)
                {
                    raw.Send(new JsonRpcRequest { Id = new RequestId("q"), Method = "elicitation/create", Params = new JsonObject { ["message"] = "?" } });
                    await Eventually.True(() => raw.Received.OfType<JsonRpcResponse>().Any());
                    bothRun.SetResult();
                }

                await bothRun.Task;
                raw.Reply(request.Id, RawServer.TextResult("done"));
            },
        };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();

        await Task.WhenAll(As(guard, Ada, () => client.CallToolAsync("echo")), As(guard, Bob, () => client.CallToolAsync("echo")));

        Assert.That(server.Received.OfType<JsonRpcResponse>().Single().Result!["action"]!.GetValue<string>(), Is.EqualTo("decline"));
        Assert.That(guard.Host.Runtime.Connections.All.Single().Refused[Mcp.Guard.Hosting.RefusalReason.UnboundRequest], Is.EqualTo(1));
    }

    [Test]
    public async Task ServerInfo_ClaimsToBeSomebodyElse_ChangesNoDecision()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Deny("no", "echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(TextOf(result), Does.Contain("[rule-denied]"));
        Assert.That(guard.Audit.Records.Where(record => record.Server is not null).Select(record => record.Server), Is.All.EqualTo("test"), "never serverInfo, which says 'raw'");
    }

    [Test]
    public async Task Calls_ThousandInParallel_EveryReplyMatchedNoneLostNoneDoubled()
    {
        var server = new RawServer
        {
            OnCall = async (request, raw, _) =>
            {
                int number = request.Params!["arguments"]!["number"]!.GetValue<int>();
                await Task.Yield();
                if (number % 7 == 0)
                {
                    await Task.Delay(number % 5, CancellationToken.None);
                }

                raw.Reply(request.Id, RawServer.TextResult(number.ToString(CultureInfo.InvariantCulture)));
            },
        };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult[] results = await Task.WhenAll(Enumerable.Range(0, 1000).Select(number =>
            client.CallToolAsync("echo", new Dictionary<string, object?> { ["number"] = number }).AsTask()));

        Assert.Multiple(() =>
        {
            Assert.That(results.Select(TextOf), Is.EqualTo(Enumerable.Range(0, 1000).Select(number => number.ToString(CultureInfo.InvariantCulture))));
            Assert.That(server.Calls.Select(call => call.Id.ToString()).Distinct().Count(), Is.EqualTo(1000));
            Assert.That(guard.Audit.OfKind(AuditKind.Intent).Count(record => record.Target == "echo"), Is.EqualTo(1000));
            Assert.That(guard.Audit.OfKind(AuditKind.Outcome).Count(record => record.Target == "echo"), Is.EqualTo(1000));
            Assert.That(guard.Host.Runtime.Connections.All.Single().OpenCalls, Is.Zero);
        });
    }

    [Test]
    public async Task Halt_WhileACallRuns_CallEndsAndNewOnesAreDeniedUntilResumed()
    {
        var started = new TaskCompletionSource();
        var server = new RawServer
        {
            OnCall = (_, _, _) =>
            {
                started.TrySetResult();
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"));
        await using McpClient client = await guard.ConnectAsync(server);
        Task<CallToolResult> running = client.CallToolAsync("echo").AsTask();
        await started.Task;

        await guard.Guard.HaltAsync(new HaltScope("test", "echo"), "something is wrong");
        CallToolResult ended = await running;
        CallToolResult next = await client.CallToolAsync("echo");
        await guard.Guard.ResumeAsync(new HaltScope("test", "echo"));
        server.OnCall = null;
        CallToolResult resumed = await client.CallToolAsync("echo");

        Assert.Multiple(() =>
        {
            Assert.That(TextOf(ended), Does.Contain("[halted]"));
            Assert.That(TextOf(next), Does.Contain("[halted]").And.Not.Contain("something is wrong"));
            Assert.That(resumed.IsError, Is.Not.True);
            Assert.That(guard.Audit.OfKind(AuditKind.Halt).Select(record => record.Decision), Is.EqualTo((string[])["halt", "resume"]));
        });
    }

    private static async Task<CallToolResult> As(GuardFixture guard, GuardCaller caller, Func<ValueTask<CallToolResult>> call)
    {
        using IDisposable scope = guard.Guard.BeginScope(caller);
        return await call();
    }
}
