using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What a host's stage puts in the place of a message is what was judged, whatever the stage does afterwards with the memory that it lay in.</summary>
[TestFixture]
internal sealed class ReplacementTests
{
    [Test]
    public async Task CallTool_HostStageUsesItsBufferAgain_WhatWasJudgedLeaves()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.AddStage(new RequestReplacer(), before: GuardStages.Schema));
        await using McpClient client = await guard.ConnectAsync(server);

        CallToolResult result = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["a"] = 1 });

        Assert.That(result.IsError, Is.Not.True, ((TextContentBlock)result.Content[0]).Text);
        Assert.That(server.Calls.Single().Params!["arguments"]!.ToJsonString(), Is.EqualTo("""{"word":"judged"}"""));
    }

    [Test]
    public async Task CallTool_HostStageReplacesTheResultAndUsesItsBufferAgain_WhatWasJudgedIsDelivered()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo"), builder => builder.AddStage(new ResultReplacer(), before: GuardStages.ResultSanitizing));
        await using McpClient client = await guard.ConnectAsync(new RawServer());

        CallToolResult result = await client.CallToolAsync("echo");

        Assert.That(((TextContentBlock)result.Content[0]).Text, Is.EqualTo("judged"));
    }

    [Test]
    public void Replace_DocumentIsDisposed_Throws()
    {
        JsonElement gone;
        using (JsonDocument document = JsonDocument.Parse("{}"))
        {
            gone = document.RootElement;
        }

        Assert.That(() => GuardDecision.Replace(gone, "code", "reason"), Throws.InstanceOf<ObjectDisposedException>());
    }

    /// <summary>Writes the template into the buffer, makes the decision from a pooled document over it, and then writes something else there.</summary>
    private static GuardDecision Replace(ReadOnlySpan<byte> template, byte[] buffer)
    {
        template.CopyTo(buffer);
        try
        {
            using JsonDocument document = JsonDocument.Parse(buffer.AsMemory(0, template.Length));
            return GuardDecision.Replace(document.RootElement, "rewritten", "a test");
        }
        finally
        {
            int at = template.IndexOf("judged"u8);
            "forged"u8.CopyTo(buffer.AsSpan(at));
        }
    }

    private sealed class RequestReplacer : IGuardStage<GuardRequestContext>
    {
        private readonly byte[] _buffer = new byte[256];

        public string Name => "request-replacer";

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) =>
            new(context.Method == "tools/call" ? Replace("""{"name":"echo","arguments":{"word":"judged"}}"""u8, _buffer) : GuardDecision.Continue);
    }

    private sealed class ResultReplacer : IGuardStage<GuardResultContext>
    {
        private readonly byte[] _buffer = new byte[256];

        public string Name => "result-replacer";

        public ValueTask<GuardDecision> EvaluateAsync(GuardResultContext context, CancellationToken ct) =>
            new(context.Method == "tools/call" ? Replace("""{"content":[{"type":"text","text":"judged"}]}"""u8, _buffer) : GuardDecision.Continue);
    }
}
