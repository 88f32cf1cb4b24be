using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>Requests of a server among several calls, users and questions: never to the wrong person, never twice, never too late.</summary>
[TestFixture]
internal sealed class ServerRequestRaceTests
{
    private const string Method = "elicitation/create";

    [Test]
    public async Task Elicitation_WhileAConsentOfTheSameCallerIsOpen_IsHeldUntilItIsAnswered()
    {
        var asks = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new RawServer
        {
            OnCall = async (request, raw, _) =>
            {
                if (request.Params!["name"]!.GetValue<string>() == "echo")
                {
                    await asks.Task;
                    AskingServer.Ask(raw, Method, AskingServer.Elicitation());
                    AskingServer.Ask(raw, "sampling/createMessage", AskingServer.Sampling(), "q2");
                    await Eventually.True(() => AskingServer.ToldOf(raw) is not null);
                }

                raw.Reply(request.Id, RawServer.TextResult("done"));
            },
        };
        var host = new AskedHost();
        await using var guard = new GuardFixture(settings => settings
            .Allow("echo", "echo").Ask("ask", "other").With("elicitation", """{"allow":true}""").With("sampling", """{"allow":true,"confirm":false}"""));
        var consentOpen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool shownBefore = false;
        host.OnElicitation = _ =>
        {
            shownBefore = !answer.Task.IsCompleted;
            return Task.FromResult(AskedHost.Accept("""{"name":"x"}"""));
        };
        guard.Consent.Then(async (request, _) =>
        {
            consentOpen.SetResult();
            await answer.Task;
            return ConsentAnswer.AllowOnce(request);
        });
        await using McpClient client = await guard.ConnectAsync(server, host.Options);
        await client.ListToolsAsync();

        Task<CallToolResult> asking = client.CallToolAsync("echo").AsTask();
        Task<CallToolResult> consented = client.CallToolAsync("other").AsTask();
        await consentOpen.Task;
        asks.SetResult();

        // What came after it and waits for nobody has been answered: it had the same way to go.
        await Eventually.True(() => AskingServer.ToldOf(server, "q2") is not null);
        Assert.That(host.Elicitations, Is.Empty);
        answer.SetResult();
        await Task.WhenAll(asking, consented);

        Assert.That(shownBefore, Is.False);
        Assert.That(host.Elicitations, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task TwoUsers_BothCalling_NeitherIsAskedForTheOther()
    {
        int running = 0;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = new RawServer
        {
            OnCall = async (request, raw, _) =>
            {
                if (Interlocked.Increment(ref running) == 2)
                {
                    AskingServer.Ask(raw, Method, AskingServer.Elicitation());
                    AskingServer.Ask(raw, "sampling/createMessage", AskingServer.Sampling(), "q2");
                    await Eventually.True(() => AskingServer.ToldOf(raw) is not null && AskingServer.ToldOf(raw, "q2") is not null);
                    release.SetResult();
                }

                await release.Task;
                raw.Reply(request.Id, RawServer.TextResult("done"));
            },
        };
        var host = new AskedHost();
        await using var guard = Make();
        await using McpClient client = await guard.ConnectAsync(server, host.Options);
        await client.ListToolsAsync();

        await Task.WhenAll(As(guard, "ada", client), As(guard, "bob", client));

        Assert.That(host.WasReached, Is.False);
        Assert.That(AskingServer.ToldOf(server, "q2"), Is.InstanceOf<JsonRpcError>());
        Assert.That(guard.Host.Runtime.Connections.All.Single().Refused[RefusalReason.UnboundRequest], Is.EqualTo(2));
    }

    [Test]
    public async Task Request_OfNoCall_Refused()
    {
        var host = new AskedHost();
        var server = new RawServer();
        await using var guard = Make();
        await using McpClient client = await guard.ConnectAsync(server, host.Options);
        AskingServer.Ask(server, Method, AskingServer.Elicitation());
        await Eventually.True(() => AskingServer.ToldOf(server) is not null);
        Assert.That(host.WasReached, Is.False);
    }

    [Test]
    public async Task Answer_AfterTheEndOfTheCall_LeavesAsDecline()
    {
        var server = new RawServer { OnCall = (_, raw, _) => Ask(raw) };
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<ElicitResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var host = new AskedHost
        {
            OnElicitation = _ =>
            {
                reached.SetResult();
                return answer.Task;
            },
        };
        await using var guard = Make();
        await using McpClient client = await guard.ConnectAsync(server, host.Options);
        using var cancel = new CancellationTokenSource();
        Task<CallToolResult> call = client.CallToolAsync("echo", cancellationToken: cancel.Token).AsTask();
        await reached.Task;
        await cancel.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(async () => await call);
        await Eventually.True(() => guard.Host.Runtime.Connections.All.Single().OpenCalls == 0);

        answer.SetResult(AskedHost.Accept("""{"name":"secret of Ada"}"""));

        await Eventually.True(() => AskingServer.ToldOf(server) is not null);
        Assert.That(((JsonRpcResponse)AskingServer.ToldOf(server)!).Result!.ToJsonString(), Is.EqualTo("""{"action":"decline"}"""));
        Assert.That(guard.Audit.Records.Any(record => record is { Kind: AuditKind.ServerMessage, Decision: "answer-refused" }));
    }

    [Test]
    public async Task Answer_Twice_LeavesOnceAndUnaskedOnesNever()
    {
        var server = new RawServer { OnCall = (_, raw, _) => Ask(raw) };
        await using var guard = Make();
        ITransport transport = await guard.Protect(server).ConnectAsync();
        await using (transport)
        {
            await transport.SendMessageAsync(new JsonRpcRequest { Id = new RequestId(1), Method = "tools/call", Params = new JsonObject { ["name"] = "echo", ["arguments"] = new JsonObject() } });
            JsonRpcRequest? asked = null;
            while (asked is null)
            {
                asked = await transport.MessageReader.ReadAsync() as JsonRpcRequest;
            }

            var answer = new JsonRpcResponse { Id = asked.Id, Result = JsonNode.Parse("""{"action":"accept","content":{"name":"x"},"extra":{"of":"the host"}}""") };
            await transport.SendMessageAsync(answer);
            await transport.SendMessageAsync(answer);
            await transport.SendMessageAsync(new JsonRpcResponse { Id = new RequestId("other"), Result = answer.Result!.DeepClone() });
        }

        JsonRpcResponse told = server.Received.OfType<JsonRpcResponse>().Single();
        Assert.That(told.Result!.ToJsonString(), Is.EqualTo("""{"action":"accept","content":{"name":"x"}}"""));
    }

    [Test]
    public async Task Flood_OfOneCall_EndsAtTheLimitPerCall()
    {
        int asked = 0;
        var server = new RawServer
        {
            OnCall = async (request, raw, _) =>
            {
                for (; asked < 40; asked++)
                {
                    string id = $"q{asked}";
                    AskingServer.Ask(raw, Method, AskingServer.Elicitation(), id);
                    await Eventually.True(() => AskingServer.ToldOf(raw, id) is not null);
                }

                raw.Reply(request.Id, RawServer.TextResult("done"));
            },
        };
        var host = new AskedHost();
        await using var guard = Make();
        await using McpClient client = await guard.ConnectAsync(server, host.Options);
        await client.CallToolAsync("echo");
        Assert.That(host.Elicitations, Has.Count.EqualTo(Mcp.Guard.Stages.ServerRequests.ServerRequestRateStage.MaxPerCall));
    }

    [Test]
    public async Task ErrorThatAsksForUrls_DoesNotReachTheHost()
    {
        var server = new RawServer
        {
            OnCall = (request, raw, _) =>
            {
                raw.Send(new JsonRpcError
                {
                    Id = request.Id,
                    Error = new JsonRpcErrorDetail
                    {
                        Code = -32042,
                        Message = "open this",
                        Data = JsonNode.Parse("""{"elicitations":[{"mode":"url","url":"https://evil.example/","elicitationId":"1","message":"x"}]}"""),
                    },
                });
                return Task.CompletedTask;
            },
        };
        await using var guard = Make();
        await using McpClient client = await guard.ConnectAsync(server, new AskedHost().Options);
        CallToolResult result = await client.CallToolAsync("echo");
        Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[server-request-refused]").And.Not.Contain("evil"));
    }

    [TestCase("""{"allow":false}""", """{"allow":false}""", "{}")]
    [TestCase("""{"allow":true}""", """{"allow":true}""", """{"sampling":{},"elicitation":{"form":{}}}""")]
    [TestCase("""{"allow":true}""", """{"allow":true,"form":false}""", """{"sampling":{}}""")]
    [TestCase("""{"allow":false}""", """{"allow":true,"form":false,"url":true,"urls":["https://a.example"]}""", """{"elicitation":{"url":{}}}""")]
    public async Task Capabilities_AnnouncedToTheServer_AreThoseOfThePolicy(string sampling, string elicitation, string announced)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(settings => settings.Allow("echo", "echo").With("sampling", sampling).With("elicitation", elicitation));
        McpClientOptions options = new AskedHost().Options;
        options.ProtocolVersion = AskingServer.Sessions;
        options.Capabilities = new ClientCapabilities { Sampling = new SamplingCapability { Tools = new SamplingToolsCapability(), Context = new SamplingContextCapability() } };
        await using McpClient client = await guard.Host.ConnectAsync("test", server, options, relay: null, share: null, CancellationToken.None);
        JsonNode capabilities = server.Received.OfType<JsonRpcRequest>().Single(request => request.Method == "initialize").Params!["capabilities"]!;
        Assert.That(capabilities.ToJsonString(), Is.EqualTo(announced));
    }

    private static Task Ask(RawServer raw)
    {
        AskingServer.Ask(raw, Method, AskingServer.Elicitation());
        return Task.CompletedTask;
    }

    private static GuardFixture Make() => new(server =>
    {
        GuardFixture.AllowAll("echo")(server);
        server.With("elicitation", """{"allow":true,"rateLimit":{"permits":1000,"per":"1s"}}""").With("sampling", """{"allow":true,"confirm":false}""");
    });

    private static async Task<CallToolResult> As(GuardFixture guard, string user, McpClient client)
    {
        using (guard.Guard.BeginScope(new GuardCaller(user, "s-" + user)))
        {
            return await client.CallToolAsync("echo");
        }
    }
}
