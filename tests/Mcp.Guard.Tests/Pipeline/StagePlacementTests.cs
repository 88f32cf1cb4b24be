using Mcp.Guard.Pipeline;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>A stage of a host judges every kind of message that it implements, wherever its place was said.</summary>
[TestFixture]
internal sealed class StagePlacementTests
{
    [TestCase(GuardStages.Consent)]
    [TestCase(GuardStages.Rules)]
    [TestCase(GuardStages.ResultSanitizing)]
    [TestCase(null)]
    public async Task AddStage_OfRequestsAndResults_JudgesBothWhicheverListTheAnchorIsIn(string? before)
    {
        var stage = new BothWays();
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.AddStage(stage, before: before));
        await using McpClient client = await guard.ConnectAsync(server);
        stage.DeniesResults = true;

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.Multiple(() =>
        {
            Assert.That(stage.Requests, Is.EqualTo(1));
            Assert.That(server.Calls, Has.Count.EqualTo(1));
            Assert.That(((TextContentBlock)result.Content[0]).Text, Does.Contain("[acme-result]"));
        });
    }

    private sealed class BothWays : IGuardStage<GuardRequestContext>, IGuardStage<GuardResultContext>
    {
        public string Name => "acme";

        public bool DeniesResults { get; set; }

        public int Requests { get; private set; }

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct)
        {
            Requests += context.Method == "tools/call" ? 1 : 0;
            return new(GuardDecision.Continue);
        }

        public ValueTask<GuardDecision> EvaluateAsync(GuardResultContext context, CancellationToken ct) =>
            new(DeniesResults && context.Method == "tools/call" ? GuardDecision.Deny("acme-result", "results stay here") : GuardDecision.Continue);
    }
}
