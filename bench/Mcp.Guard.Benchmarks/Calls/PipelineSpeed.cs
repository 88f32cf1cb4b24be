using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>The whole pipeline and each stage alone, all in one run; the rows of section 9 that speak of decisions.</summary>
internal static class PipelineSpeed
{
    public static int Run(string? only)
    {
        var scenarios = new List<CallScenario>();
        try
        {
            var bare = new CallScenario(new() { Audit = AuditChoice.None });
            var queued = new CallScenario(new() { Audit = AuditChoice.Queue });
            var flooded = new CallScenario(new() { Audit = AuditChoice.Queue, Floods = true });
            scenarios.AddRange([bare, queued, flooded]);
            if (only is not null)
            {
                Spin(only, bare, queued);
                return 0;
            }

            List<Operation> operations =
            [
                .. SystemCalls(bare), .. Whole(bare, queued),
                new("denied by a rule, more than 100 in ten seconds: counted, not recorded", () => !flooded.Denied(), flooded.Settle),
            ];
            Print("the whole pipeline", Measurement.Run(operations));
            Print("request stages alone", Measurement.Run([.. RequestStages(bare)], rounds: 20));
            Print("result stages alone", Measurement.Run([.. ResultStages(bare)], rounds: 20));
            Print("parts", Measurement.Run([.. Parts(bare)], rounds: 20));
            return 0;
        }
        finally
        {
            foreach (CallScenario scenario in scenarios)
            {
                scenario.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }
    }

    /// <summary>The system calls that one path costs, made without the guard around them.</summary>
    public static IEnumerable<Operation> SystemCalls(CallScenario scenario)
    {
        string path = scenario.FilePath;
        yield return new("system calls of one path: openat2, stat", () => LinkReader.ForThisSystem.IsFreeOfLinks(path) & FileIdentity.TryRead(path, out _, out _));
    }

    public static IEnumerable<Operation> Whole(CallScenario bare, CallScenario queued)
    {
        yield return new("allowed by a grant, records dropped", bare.Allowed);
        yield return new("allowed by a grant, records into the queue", queued.Allowed, queued.Settle);
        yield return new("allowed by a rule, records into the queue", queued.PlainCall, queued.Settle);
        yield return new("denied by a rule, records into the queue", () => !queued.Denied(), queued.Settle);
        yield return new("denied by a rule, records dropped", () => !bare.Denied());
    }

    private static IEnumerable<Operation> RequestStages(CallScenario scenario)
    {
        RequestContext context = Judged(scenario);
        List<GuardAskReason> reasons = [new("rules", "rule-asks", "rule edits asks")];
        foreach (StageSlot<RequestContext> slot in scenario.Guard.Runtime.Pipeline.Stages.Request)
        {
            yield return new(slot.Name, () =>
            {
                context.AskReasons = reasons;
                return slot.RunAsync(context, CancellationToken.None).Result.Kind is GuardDecisionKind.Continue or GuardDecisionKind.AskConsent;
            });
        }
    }

    private static IEnumerable<Operation> ResultStages(CallScenario scenario)
    {
        var context = new ResultContext(Judged(scenario), scenario.ReadResult(), isError: false);
        foreach (StageSlot<ResultContext> slot in scenario.Guard.Runtime.Pipeline.Stages.Result)
        {
            yield return new(slot.Name, () => slot.RunAsync(context, CancellationToken.None).Result.Kind == GuardDecisionKind.Continue);
        }
    }

    private static IEnumerable<Operation> Parts(CallScenario scenario)
    {
        RequestContext context = Judged(scenario);
        byte[] text = JsonMarshal.GetRawUtf8Value(context.Current).ToArray();
        var trail = scenario.Guard.Runtime.Pipeline.Audit;
        var outcome = new AuditOutcome(scenario.ReadResult(), scenario.ReadResult(), null);
        yield return new("read the request: snapshot, context, id", () => scenario.Read().Fault is null);
        yield return new("read the result: snapshot", () => scenario.ReadResult().ValueKind == JsonValueKind.Object);
        yield return new("decision id", () => DecisionIds.Next(TimeProvider.System).Length > 0);
        yield return new("digest of the canonical arguments", () => context.Parameters.ComputeArgumentsDigest() is not null);
        yield return new("the element that is forwarded", () => JsonDocument.Parse(text.AsMemory()).RootElement.ValueKind == JsonValueKind.Object); // never disposed of, as in RequestPayload
        yield return new("record of the intent", () => trail.WriteIntentAsync(context, CancellationToken.None).IsCompletedSuccessfully);
        yield return new("record of the outcome", () => trail.WriteOutcomeAsync(context, "delivered", null, outcome, TimeSpan.Zero, CancellationToken.None).IsCompletedSuccessfully);
    }

    /// <summary>A request that was judged, so that every stage finds what those before it leave.</summary>
    private static RequestContext Judged(CallScenario scenario)
    {
        RequestContext context = scenario.Read();
        GuardEvaluation evaluation = scenario.Guard.Runtime.Pipeline.EvaluateAsync(context, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        evaluation.AbortAsync("timeout", "measured").AsTask().GetAwaiter().GetResult();
        return context;
    }

    /// <summary>One operation again and again, for a profiler.</summary>
    private static void Spin(string only, CallScenario bare, CallScenario queued)
    {
        List<Operation> all = [.. SystemCalls(bare), .. Whole(bare, queued), .. RequestStages(bare), .. ResultStages(bare), .. Parts(bare)];
        Operation operation = all.First(candidate => candidate.Name.Contains(only, StringComparison.Ordinal));
        long until = Environment.TickCount64 + 12_000;
        long runs = 0;
        while (Environment.TickCount64 < until)
        {
            for (int i = 0; i < 1_000; i++)
            {
                operation.Run();
            }

            runs += 1_000;
        }

        Console.WriteLine($"{operation.Name}: {runs} runs");
    }

    internal static void Print(string title, IEnumerable<Measured> rows)
    {
        Console.WriteLine($"\n| {title} | median | least | allocated |\n|---|---|---|---|");
        foreach (Measured row in rows)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {row.Name} | {row.Nanoseconds:N0} ns | {row.Least:N0} ns | {row.Bytes:N0} B |"));
        }
    }
}
