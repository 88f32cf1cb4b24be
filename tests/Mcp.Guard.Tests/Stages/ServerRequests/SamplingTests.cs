using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>A server that wants the host's model, by message and inside a result: what reaches the model, and what comes back.</summary>
[TestFixture(AskingServer.Sessions)]
[TestFixture(AskingServer.Stateless)]
internal sealed class SamplingTests(string version)
{
    private const string Method = "sampling/createMessage";

    [Test]
    public async Task Allowed_AfterConsent_ReachesTheModelBoundedAndCleaned()
    {
        JsonObject asked = AskingServer.Sampling("what\u202e is \U000E0041this?");
        asked["maxTokens"] = 5000;
        asked["systemPrompt"] = "be\u200b brief";
        asked["metadata"] = new JsonObject { ["provider"] = "anything" };
        asked["includeContext"] = "none";
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"maxTokens":100}""");
        guard.Consent.Then(ConsentAnswer.AllowOnce);

        string told = await CallAsync(guard, asked, host);

        CreateMessageRequestParams reached = host.Samplings.Single();
        ConsentRequest shown = guard.Consent.Requests.Single();
        Assert.Multiple(() =>
        {
            Assert.That(reached.MaxTokens, Is.EqualTo(100));
            Assert.That(reached.Metadata, Is.Null);
            Assert.That(((TextContentBlock)reached.Messages[0].Content[0]).Text, Is.EqualTo("what is this?"));
            Assert.That(reached.SystemPrompt, Is.EqualTo("be brief"));
            Assert.That(told, Does.Contain("the answer"));
            Assert.That((shown.ServerId, shown.Method, shown.ToolName), Is.EqualTo(("test", Method, "echo")));
            Assert.That(shown.Reasons.Single(), Does.Contain("server 'test' wants the model of this host").And.Contain("during 'echo'"));
            Assert.That(shown.ArgumentsForDisplay, Does.Contain("what is this?"));
            Assert.That(shown.Offered & ~(ConsentScopes.Once | ConsentScopes.Never), Is.EqualTo(ConsentScopes.None));
            Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["admit", "answer"]));
        });
    }

    [Test]
    public async Task Consent_Refused_ModelIsNotReached()
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true}""");
        guard.Consent.Then(ConsentAnswer.Deny);

        string told = await CallAsync(guard, AskingServer.Sampling(), host);

        Assert.That(host.WasReached, Is.False);
        Assert.That(told, Does.Contain(version == AskingServer.Stateless ? "[server-request-refused]" : "error -1"));
        Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["deny"]));
    }

    [Test]
    public async Task NotAllowed_ModelIsNotReached()
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":false}""");
        await CallAsync(guard, AskingServer.Sampling(), host);
        Assert.That(host.WasReached, Is.False);
        Assert.That(guard.Consent.Requests, Is.Empty);
    }

    [TestCase("""{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}""")]
    [TestCase("""{"tools":[]}""")]
    [TestCase("""{"toolChoice":{"mode":"none"}}""")]
    [TestCase("""{"t\u006fols":[]}""")]
    [TestCase("""{"Tools":[]}""")]
    [TestCase("""{"includeContext":"thisServer"}""")]
    [TestCase("""{"includeContext":"allServers"}""")]
    [TestCase("""{"includeContext":null}""")]
    [TestCase("""{"task":{"ttl":1}}""")]
    [TestCase("""{"anything":1}""")]
    [TestCase("""{"maxTokens":0}""")]
    [TestCase("""{"maxTokens":1.5}""")]
    [TestCase("""{"messages":[]}""")]
    [TestCase("""{"messages":null}""")]
    [TestCase("""{"messages":[{"role":"system","content":{"type":"text","text":"x"}}]}""")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"tool_use","id":"1","name":"t","input":{}}}]}""")]
    [TestCase("""{"messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"tool_result","toolUseId":"1","content":[]}]}]}""")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"file:///etc/passwd","text":"x"}}}]}""")]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"image","mimeType":"image/png","data":"PGh0bWw+"}}]}""")]
    [TestCase("""{"messages":[{"role":"user","tool":1,"content":{"type":"text","text":"x"}}]}""")]
    [TestCase("""{"systemPrompt":{"a":1}}""")]
    public async Task Request_WithWhatNobodyAllowed_Refused(string changes)
    {
        JsonObject asked = AskingServer.Sampling();
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject())
        {
            asked[name] = value?.DeepClone();
        }

        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"confirm":false}""");

        await CallAsync(guard, asked, host);

        Assert.That(host.WasReached, Is.False);
        Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["deny"]));
    }

    [Test]
    public async Task Prompt_LongerThanTheTokensOfThePolicy_Refused()
    {
        JsonObject asked = AskingServer.Sampling(string.Concat(Enumerable.Repeat("many words ", 60)));
        asked["systemPrompt"] = string.Concat(Enumerable.Repeat("more words ", 60));
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"confirm":false,"maxPromptTokens":200}""");
        await CallAsync(guard, asked, host);
        Assert.That(host.WasReached, Is.False);
    }

    [TestCase("thisServer", true)]
    [TestCase("allServers", false)]
    public async Task Context_AllowedByThePolicy_OfThisServerOnly(string context, bool passes)
    {
        JsonObject asked = AskingServer.Sampling();
        asked["includeContext"] = context;
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"confirm":false,"allowContext":true}""");
        await CallAsync(guard, asked, host);
        Assert.That(host.WasReached, Is.EqualTo(passes));
    }

    [Test]
    public async Task Answer_WithCredentialAndHiddenText_LeavesWithoutThem()
    {
        var host = new AskedHost { Message = AskedHost.Text("use\u200b ghp_16C7e42F292c6912E7710c838347Ae178B4a now") };
        await using var guard = Make("""{"allow":true,"confirm":false}""");
        string told = await CallAsync(guard, AskingServer.Sampling(), host);
        Assert.That(told, Does.Contain("use").And.Not.Contain("ghp_16C7e42F292c6912E7710c838347Ae178B4a").And.Not.Contain("\u200b"));
    }

    // The SDK puts what a model client adds to an answer (AdditionalProperties) into "_meta" of each block, and hands the server's "_meta" to that client.
    [Test]
    public async Task Answer_BlockWithMetaOrAnnotations_LeavesWithoutThem()
    {
        var block = new TextContentBlock { Text = "the answer", Meta = new JsonObject { ["trace"] = "tenant-4711" }, Annotations = new Annotations { Priority = 1 } };
        var host = new AskedHost { Message = new CreateMessageResult { Model = "test-model", Role = Role.Assistant, Content = [block], Meta = new JsonObject { ["trace"] = "tenant-4712" } } };
        await using var guard = Make("""{"allow":true,"confirm":false}""");
        string told = await CallAsync(guard, AskingServer.Sampling(), host);
        Assert.That(told, Does.Contain("the answer").And.Not.Contain("tenant-47").And.Not.Contain("_meta").And.Not.Contain("priority"));
    }

    [Test]
    public async Task Request_MessagesAndBlocksWithMeta_ReachTheModelWithoutIt()
    {
        JsonObject asked = AskingServer.Sampling();
        asked["maxTokens"] = 10;
        JsonNode message = asked["messages"]![0]!;
        message["_meta"] = new JsonObject { ["steer"] = "message" };
        message["content"]!["_meta"] = new JsonObject { ["steer"] = "block" };
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true,"confirm":false}""");
        await CallAsync(guard, asked, host);
        SamplingMessage reached = host.Samplings.Single().Messages.Single();
        Assert.Multiple(() =>
        {
            Assert.That(reached.Meta, Is.Null);
            Assert.That(reached.Content.Single().Meta, Is.Null);
            Assert.That(((TextContentBlock)reached.Content.Single()).Text, Is.Not.Empty);
        });
    }

    [Test]
    public async Task Answer_FarLongerThanAskedFor_DoesNotLeave()
    {
        var host = new AskedHost { Message = AskedHost.Text(new string('x', 50 * 64 + 1)) };
        await using var guard = Make("""{"allow":true,"confirm":false}""");
        string told = await CallAsync(guard, AskingServer.Sampling(), host);
        Assert.That(told, Does.Not.Contain("xxx"));
        Assert.That(DecisionsOf(guard), Is.EqualTo((string[])["admit", "answer-refused"]));
    }

    [Test]
    public async Task Answer_ThatUsesATool_DoesNotLeave()
    {
        var host = new AskedHost { Message = new() { Model = "m", Content = [new ToolUseContentBlock { Id = "1", Name = "delete", Input = System.Text.Json.JsonDocument.Parse("{}").RootElement }] } };
        await using var guard = Make("""{"allow":true,"confirm":false}""");
        string told = await CallAsync(guard, AskingServer.Sampling(), host);
        Assert.That(told, Does.Not.Contain("delete"));
    }

    [Test]
    public async Task Halt_WhileThePersonIsAsked_EndsTheRequest()
    {
        var host = new AskedHost();
        await using var guard = Make("""{"allow":true}""");
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        guard.Consent.Then(async (_, ct) =>
        {
            open.SetResult();
            await Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, ct);
            return default!;
        });
        Task<string> call = CallAsync(guard, AskingServer.Sampling(), host);
        await open.Task;
        await guard.Guard.HaltAsync(new HaltScope("test", "echo"), "enough");
        await call;
        Assert.That(host.WasReached, Is.False);
    }

    private static GuardFixture Make(string sampling) => new(server =>
    {
        GuardFixture.AllowAll("echo")(server);
        server.With("sampling", sampling);
    });

    private static IEnumerable<string?> DecisionsOf(GuardFixture guard) =>
        guard.Audit.Records.Where(record => record is { Kind: AuditKind.ServerMessage, Method: Method }).Select(record => record.Decision);

    private async Task<string> CallAsync(GuardFixture guard, JsonObject asked, AskedHost host)
    {
        await using McpClient client = await guard.ConnectAsync(AskingServer.Create(version, Method, asked), host.Options);
        CallToolResult result = await client.CallToolAsync("echo");
        return ((TextContentBlock)result.Content[0]).Text;
    }
}
