using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
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
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == GuardTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(activities);
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

    private static async Task EndAsync(ScriptedPipeline guard, RequestContext request, string how)
    {
        if (how == "deny")
        {
            guard.Put(guard.Stages.Request, GuardStages.Roots, GuardDecision.Deny("acme-no", "the reason"));
        }

        if (how == "refused")
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
            case "tool error": await evaluation.CompleteAsync(JsonElement.Parse("""{"content":[],"isError":true}""")); break;
            case "error": await evaluation.CompleteErrorAsync(JsonElement.Parse("""{"code":-32603,"message":"m"}""")); break;
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
