using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.PromptLimit;
using Mcp.Guard.Tests.Stages.ServerRequests;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.PromptLimit;

/// <summary>Prompts and sampling requests at their limits: three digits are one token, and every text of a message counts, its role and type too.</summary>
[TestFixture]
internal sealed class PromptLimitStageTests
{
    /// <summary>"user" and "text" of each message.</summary>
    private static readonly int Overhead = ConservativeTokenCounter.Instance.Count("user") + ConservativeTokenCounter.Instance.Count("text");

    private const string Message = """{"role":"user","content":{"type":"text","text":"TEXT"}}""";

    [TestCase(null, 2048, true)]
    [TestCase(null, 2049, false)]
    [TestCase(30, 30, true)]
    [TestCase(30, 31, false)]
    public async Task Prompt_OfSoManyTokens_PassesUpToTheLimit(int? limit, int tokens, bool passes)
    {
        // In two messages: all texts count together.
        var messages = new JsonArray(MessageOf(tokens - 1 - (2 * Overhead)), MessageOf(1));
        await using var guard = new GuardFixture(Policy(limit));
        await using McpClient client = await guard.ConnectAsync(Server(new() { ["messages"] = messages }));
        if (passes)
        {
            JsonRpcResponse response = await GetAsync(client);
            Assert.That(response.Result!["messages"]!.AsArray(), Has.Count.EqualTo(2));
            return;
        }

        McpException? denied = await Assert.CatchAsync<McpException>(async () => await GetAsync(client));
        Assert.That(denied!.Message, Does.Contain("[prompt-too-long]"));
    }

    [Test]
    public async Task Prompt_LongDescription_IsNoMessage()
    {
        await using var guard = new GuardFixture(Policy(1 + Overhead));
        await using McpClient client = await guard.ConnectAsync(Server(new() { ["description"] = Digits(50), ["messages"] = new JsonArray(MessageOf(1)) }));
        Assert.That((await GetAsync(client)).Result, Is.Not.Null);
    }

    [Test]
    public async Task ToolResult_LongerThanAPromptMayBe_IsNoPrompt()
    {
        await using var guard = new GuardFixture(Policy(1));
        await using McpClient client = await guard.ConnectAsync(new RawServer
        {
            OnCall = static (request, raw, _) =>
            {
                JsonObject result = RawServer.TextResult(Digits(50));
                result["messages"] = new JsonArray(MessageOf(50));
                raw.Reply(request.Id, result);
                return Task.CompletedTask;
            },
        });
        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
    }

    [TestCase("""{"allow":true,"maxPromptTokens":30}""", 30, 0, true)]
    [TestCase("""{"allow":true,"maxPromptTokens":30}""", 31, 0, false)]
    [TestCase("""{"allow":true,"maxPromptTokens":30}""", 28, 2, true)]
    [TestCase("""{"allow":true,"maxPromptTokens":30}""", 28, 3, false)]
    [TestCase("""{"allow":true}""", 2000, 48, true)]
    [TestCase("""{"allow":true}""", 2000, 49, false)]
    public async Task Sampling_OfSoManyTokens_PassesUpToTheLimit(string sampling, int message, int systemPrompt, bool passes)
    {
        await using GuardFixture guard = AskedContext.Guard(sampling);
        string text = $$"""{"messages":[{{Message.Replace("TEXT", Digits(message - Overhead), StringComparison.Ordinal)}}],"systemPrompt":"{{Digits(systemPrompt)}}","stopSequences":["{{Digits(3000)}}"]}""";
        GuardDecision decision = await new SamplingPromptLimitStage(ConservativeTokenCounter.Instance).JudgeAsync(AskedContext.Of(guard, AskedContext.Sampling, text));
        Assert.That(decision.Kind, Is.EqualTo(passes ? GuardDecisionKind.Continue : GuardDecisionKind.Deny));
        if (!passes)
        {
            Assert.That(decision.Code, Is.EqualTo(GuardDenialCodes.PromptTooLong));
            Assert.That(decision.Reason, Does.Contain("the sampling request has more than"));
        }
    }

    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("\"x\"")]
    public async Task Sampling_WithoutParameters_IsRefused(string payload)
    {
        await using GuardFixture guard = AskedContext.Guard();
        GuardDecision decision = await new SamplingPromptLimitStage(ConservativeTokenCounter.Instance).JudgeAsync(AskedContext.Of(guard, AskedContext.Sampling, payload));
        Assert.That((decision.Kind, decision.Code), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ServerRequestRefused)));
        Assert.That(decision.Reason, Does.Contain("without parameters"));
    }

    [Test]
    public async Task Elicitation_OfAnyLength_IsNoSampling()
    {
        await using GuardFixture guard = AskedContext.Guard("""{"allow":true,"maxPromptTokens":1}""");
        var stage = new SamplingPromptLimitStage(ConservativeTokenCounter.Instance);
        GuardDecision decision = await stage.JudgeAsync(AskedContext.Of(guard, AskedContext.Elicitation, $$"""{"messages":[{{Message.Replace("TEXT", Digits(50), StringComparison.Ordinal)}}]}"""));
        Assert.That((decision.Kind, stage.Name), Is.EqualTo((GuardDecisionKind.Continue, "sampling-prompt-limit")));
    }

    private static string Digits(int tokens) => string.Concat(Enumerable.Repeat("123", tokens));

    private static JsonObject MessageOf(int tokens) => new()
    {
        ["role"] = "user",
        ["content"] = new JsonObject { ["type"] = "text", ["text"] = Digits(tokens) },
    };

    private static Action<GuardServerBuilder> Policy(int? limit) => server =>
    {
        GuardFixture.AllowAll("echo")(server);
        server.Allow("prompts", static rule => rule.Prompts("*"));
        if (limit is { } tokens)
        {
            server.With("promptMaxTokens", tokens.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    };

    private static RawServer Server(JsonObject result) => new()
    {
        OwnMethod = "prompts/get",
        OnOwn = (request, raw) =>
        {
            raw.Reply(request.Id, result.DeepClone());
            return Task.CompletedTask;
        },
    };

    private static Task<JsonRpcResponse> GetAsync(McpClient client) =>
        client.SendRequestAsync(new JsonRpcRequest { Method = "prompts/get", Params = new JsonObject { ["name"] = "p" } });
}
