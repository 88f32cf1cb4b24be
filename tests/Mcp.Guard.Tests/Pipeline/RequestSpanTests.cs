using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What operators see of each request: one span with its end, and one decision counted.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class RequestSpanTests
{
    [TestCase("deny", "deny", "acme-no", "deny", "acme-no")]
    [TestCase("complete", "delivered", null, "allow", null)]
    [TestCase("tool error", "delivered", "tool_error", "allow", null)]
    [TestCase("error", "error", "-32603", "allow", null)]
    [TestCase("refused", "deny", "acme-result", "allow", null)]
    [TestCase("refused error", "deny", "acme-result", "allow", null)]
    [TestCase("refused tool error", "deny", "acme-result", "allow", null)]
    [TestCase("abort", "aborted", "acme-end", "allow", null)]
    [TestCase("dispose", "abandoned", "guard-fault", "allow", null)]
    [TestCase("timeout", "timeout", "timeout", "allow", null)]
    [TestCase("input required", "input-required", null, "allow", null)]
    [TestCase("unrecorded", "failed", "audit-unavailable", "allow", null)]
    [TestCase("cancelled", "cancelled", "timeout", null, null)]
    public async Task Request_HoweverItEnds_HasOneSpanAndOneDecision(string how, string outcome, string? error, string? decision, string? code)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        var spans = new ConcurrentQueue<Activity>();
        var decisions = new ConcurrentQueue<(string? Decision, string? Code, string? Server)>();
        using ActivityListener activities = Listen(spans);
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "mcp.guard.decisions")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            var map = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string);
            decisions.Enqueue((map["mcp.guard.decision"], map.GetValueOrDefault("mcp.guard.code"), map["mcp.guard.server"]));
        });
        meters.Start();

        RequestContext request = guard.Request();
        await EndAsync(guard, request, how);

        Activity span = spans.Single(one => Equals(one.GetTagItem("mcp.guard.decision.id"), request.DecisionId));
        Assert.Multiple(() =>
        {
            Assert.That(span.GetTagItem("mcp.guard.decision"), Is.EqualTo(outcome));
            Assert.That(span.GetTagItem("error.type"), Is.EqualTo(error));
            Assert.That(span.DisplayName, Is.EqualTo("tools/call echo"));
            Assert.That(decisions, decision is null ? Is.Empty : Is.EqualTo(new[] { (decision, code, "test") }));
        });
    }

    [TestCase(null, true, null)]
    [TestCase("[1]", true, null)]
    [TestCase("{}", true, "_OTHER")]
    [TestCase("""{"code":"-32603"}""", true, "_OTHER")]
    [TestCase("""{"code":1.5}""", true, "_OTHER")]
    [TestCase("""{"code":-99999999999}""", true, "_OTHER")]
    [TestCase("""{"code":-32700}""", true, "-32700")]
    [TestCase("""{"code":32700}""", true, "_OTHER")]
    [TestCase("""{"code":-32701}""", true, "_OTHER")]
    [TestCase("""{"code":-32604}""", true, "_OTHER")]
    [TestCase("""{"code":-32603}""", true, "-32603")]
    [TestCase("""{"code":-32600}""", true, "-32600")]
    [TestCase("""{"code":-32599}""", true, "_OTHER")]
    [TestCase("""{"code":-32100}""", true, "_OTHER")]
    [TestCase("""{"code":-32099}""", true, "-32099")]
    [TestCase("""{"code":-32042}""", true, "-32042")]
    [TestCase("""{"code":-32000}""", true, "-32000")]
    [TestCase("""{"code":-31999}""", true, "_OTHER")]
    [TestCase("""{"code":0}""", true, "_OTHER")]
    [TestCase("""{"isError":true}""", true, "_OTHER")]
    [TestCase("""{"isError":true}""", false, "tool_error")]
    [TestCase("""{"isError":false}""", false, null)]
    [TestCase("""{"isError":"true"}""", false, null)]
    [TestCase("""{"code":-32603}""", false, null)]
    [TestCase("[1]", false, null)]
    public void ErrorTypeOf_Answer_CountsOnlyCodesThatTheProtocolDefines(string? answer, bool isError, string? expected) =>
        Assert.That(RequestSpan.ErrorTypeOf(answer is null ? default : JsonElement.Parse(answer), isError), Is.EqualTo(expected));

    // Names of tools and prompts come from models: only those that the server has shown to be real may become values of a tag.
    [TestCase("tools/call", true, true)]
    [TestCase("tools/call", false, false)]
    [TestCase("prompts/get", true, true)]
    [TestCase("prompts/get", false, false)]
    public async Task Request_Target_IsNamedOnlyWhereItIsReal(string method, bool isReal, bool isNamed)
    {
        string name = "t" + Guid.NewGuid().ToString("N");
        await using var guard = new GuardFixture(server => server.With("rules", """{"t":{"effect":"allow","tools":["*"]},"p":{"effect":"allow","prompts":["*"]}}"""));
        await guard.Host.StartAsync(default);
        var connection = guard.Guard.OpenConnection("test");
        GuardEvaluation listing = await guard.Guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8));
        await listing.CompleteAsync(JsonElement.Parse($$$"""{"tools":[{"name":"{{{(isReal ? name : "another")}}}","inputSchema":{"type":"object"}}]}"""));
        var spans = new ConcurrentQueue<Activity>();
        using ActivityListener activities = Listen(spans);
        var request = (RequestContext)connection.CreateRequest(method, Encoding.UTF8.GetBytes($$"""{"name":"{{name}}"}"""), ScriptedPipeline.Ada);
        await using var evaluation = await guard.Guard.Policy.EvaluateAsync(request);
        if (method == "prompts/get")
        {
            Assert.That(evaluation.IsAllowed, Is.True);
            await (isReal ? evaluation.CompleteAsync(JsonElement.Parse("""{"messages":[]}""")) : evaluation.CompleteErrorAsync(JsonElement.Parse("""{"code":-32602,"message":"m"}""")));
        }
        else if (isReal)
        {
            await evaluation.CompleteAsync(JsonElement.Parse("""{"content":[]}"""));
        }

        Activity span = spans.Single(one => Equals(one.GetTagItem("mcp.guard.decision.id"), request.DecisionId));
        Assert.That(span.GetTagItem(method == "prompts/get" ? "gen_ai.prompt.name" : "gen_ai.tool.name"), Is.EqualTo(isNamed ? name : "_OTHER"));
    }

    [Test]
    public async Task Create_TraceId_IsThatOfTheGuardsSpanOrElseOfTheCallers()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        RequestContext request = guard.Request();
        var spans = new ConcurrentQueue<Activity>();
        using (ActivityListener activities = Listen(spans))
        {
            var span = new RequestSpan(request, TimeProvider.System);
            Activity? own = Activity.Current;
            Assert.That(own?.OperationName, Does.StartWith("tools/call"));
            Assert.That(request.TraceId, Is.EqualTo(own!.TraceId.ToHexString()));
            span.End("allow", null);
        }

        using Activity around = new Activity("host").SetIdFormat(ActivityIdFormat.W3C).Start();
        _ = new RequestSpan(request, TimeProvider.System);
        Assert.That(request.TraceId, Is.EqualTo(around.TraceId.ToHexString()), "nobody listens to the guard's");
        Activity.Current = null;
        _ = new RequestSpan(request, TimeProvider.System);
        Assert.That(request.TraceId, Is.Null);
    }

    private static ActivityListener Listen(ConcurrentQueue<Activity> spans)
    {
        var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == GuardTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(activities);
        return activities;
    }

    private static async Task EndAsync(ScriptedPipeline guard, RequestContext request, string how)
    {
        if (how == "deny")
        {
            guard.Put(guard.Stages.Request, GuardStages.Roots, GuardDecision.Deny("acme-no", "the reason"));
        }

        if (how.StartsWith("refused", StringComparison.Ordinal))
        {
            guard.Put(guard.Stages.Result, GuardStages.Redaction, GuardDecision.Deny("acme-result", "the reason"));
        }

        if (how == "cancelled")
        {
            using var cancel = new CancellationTokenSource();
            guard.Put(guard.Stages.Request, GuardStages.Roots, (_, _) =>
            {
                cancel.Cancel();
                throw new OperationCanceledException(cancel.Token);
            });
            Assert.That(async () => await guard.EvaluateAsync(request, cancel.Token), Throws.InstanceOf<OperationCanceledException>());
            return;
        }

        Evaluation evaluation = await guard.EvaluateAsync(request);
        switch (how)
        {
            case "deny": break;
            case "tool error" or "refused tool error": await evaluation.CompleteAsync(JsonElement.Parse("""{"content":[],"isError":true}""")); break;
            case "error" or "refused error": await evaluation.CompleteErrorAsync(JsonElement.Parse("""{"code":-32603,"message":"m"}""")); break;
            case "abort": await evaluation.AbortAsync("acme-end", "the end"); break;
            case "dispose": await evaluation.DisposeAsync(); break;
            case "timeout": await evaluation.EndIfOpenAsync("timeout", GuardDenialCodes.Timeout, "too long", stillRuns: true); break;
            case "input required": await evaluation.EndIfOpenAsync("input-required", "input-required", "it asks back"); break;
            case "unrecorded":
                guard.Guard.Audit.Before = (record, _) => record.Kind == AuditKind.Outcome ? throw new IOException("full") : default;
                Assert.That(async () => await evaluation.CompleteAsync(JsonElement.Parse("""{"content":[]}""")), Throws.Exception);
                break;
            default: await evaluation.CompleteAsync(JsonElement.Parse("""{"content":[]}""")); break;
        }
    }
}
