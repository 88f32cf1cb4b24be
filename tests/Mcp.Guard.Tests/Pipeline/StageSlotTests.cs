using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.RateLimit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What keeps the faults of one stage from becoming an allow, for stages of the guard itself and of a host.</summary>
[TestFixture]
internal sealed class StageSlotTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(1500);

    [Test]
    public async Task Run_StageThatNeverEnds_IsGivenUpAtItsDeadlineAndToldSo()
    {
        await using var guard = new GuardFixture(_ => { });
        var time = new FakeTimeProvider();
        var stage = new Hanging();
        var log = new Noted();
        var slot = new StageSlot<RequestContext>(stage, Deadline, time, log);
        Task<GuardDecision> running = slot.RunAsync(Call(guard), default).AsTask();
        await Eventually.True(() => stage.Started == 1);
        Assert.That(running.IsCompleted, Is.False);
        GuardDecision decision = await PastAsync(time, running);
        Assert.That(log.Events, Is.EqualTo((int[])[1001]), "operators learn which stage it was");
        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.GuardFault, "stage 'hanging' gave no decision within 1.5 s")));
        await Eventually.True(() => stage.Told == 1);
    }

    // Each that never ends may hold a thread: after sixteen the stage is not started again until one of them ends.
    [Test]
    public async Task Run_ManyThatNeverEnd_StageIsNotStartedAgainUntilOneEnds()
    {
        await using var guard = new GuardFixture(_ => { });
        var time = new FakeTimeProvider();
        var stage = new Hanging();
        var log = new Noted();
        var slot = new StageSlot<RequestContext>(stage, Deadline, time, log);
        for (int i = 1; i <= 16; i++)
        {
            Task<GuardDecision> running = slot.RunAsync(Call(guard), default).AsTask();
            await Eventually.True(() => stage.Started == i);
            Assert.That((await PastAsync(time, running)).Reason, Does.Contain("gave no decision"), $"{i}");
        }

        GuardDecision decision = await slot.RunAsync(Call(guard), default);
        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.GuardFault, "stage 'hanging' has 16 evaluations that never ended and is not started again")));
        Assert.That(stage.Started, Is.EqualTo(16));
        Assert.That(log.Events, Is.EqualTo((int[])[.. Enumerable.Repeat(1001, 16), 1002]));
        stage.EndOne();
        await Eventually.TrueAsync(async () =>
        {
            Task<GuardDecision> again = slot.RunAsync(Call(guard), default).AsTask();
            return !(await PastAsync(time, again)).Reason.Contains("not started again", StringComparison.Ordinal);
        });
        Assert.That(stage.Started, Is.EqualTo(17));
    }

    [Test]
    public async Task Run_CallerCancels_PropagatesAndTellsTheStage()
    {
        await using var guard = new GuardFixture(_ => { });
        var stage = new Hanging();
        var slot = new StageSlot<RequestContext>(stage, Deadline, new FakeTimeProvider(), NullLogger.Instance);
        using var cancel = new CancellationTokenSource();
        Task<GuardDecision> running = slot.RunAsync(Call(guard), cancel.Token).AsTask();
        await Eventually.True(() => stage.Started == 1);
        await cancel.CancelAsync();
        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        await Eventually.True(() => stage.Told == 1);
    }

    // Stages of the guard run on the caller's thread: at once, later, or not at all.
    [TestCase("at once", GuardDecisionKind.Continue, "")]
    [TestCase("later", GuardDecisionKind.Continue, "")]
    [TestCase("throws", GuardDecisionKind.Deny, "stage 'rate-limit' threw IOException")]
    [TestCase("throws later", GuardDecisionKind.Deny, "stage 'rate-limit' threw IOException")]
    [TestCase("cancels", GuardDecisionKind.Deny, "stage 'rate-limit' threw OperationCanceledException")]
    [TestCase("cancels later", GuardDecisionKind.Deny, "stage 'rate-limit' threw OperationCanceledException")]
    [TestCase("times out", GuardDecisionKind.Deny, "stage 'rate-limit' threw TimeoutException")]
    public async Task Run_StageOfTheGuard_DecidesOrIsAFault(string how, GuardDecisionKind kind, string reason)
    {
        await using var guard = new GuardFixture(_ => { });
        var log = new Noted();
        var slot = new StageSlot<RequestContext>(new RateLimitStage(new Store(how)), Deadline, TimeProvider.System, log);
        GuardDecision decision = await slot.RunAsync(Call(guard), default);
        Assert.That(log.Events, kind == GuardDecisionKind.Deny ? Is.EqualTo((int[])[1000]) : Is.Empty);
        Assert.That((decision.Kind, decision.Reason), Is.EqualTo((kind, reason)));

        bool isThere = slot.TryRun(Call(guard), default, out GuardDecision tried, out Task<GuardDecision>? pending);
        Assert.That(isThere, Is.EqualTo(!how.Contains("later", StringComparison.Ordinal)));
        Assert.That(pending is null, Is.EqualTo(isThere));
        tried = pending is null ? tried : await pending;
        Assert.That((tried.Kind, tried.Reason), Is.EqualTo((kind, reason)));
    }

    [TestCase("cancels")]
    [TestCase("cancels later")]
    public async Task Run_StageOfTheGuardEndsWithItsCaller_Propagates(string how)
    {
        await using var guard = new GuardFixture(_ => { });
        var slot = new StageSlot<RequestContext>(new RateLimitStage(new Store(how)), Deadline, TimeProvider.System, NullLogger.Instance);
        Assert.That(async () => await slot.RunAsync(Call(guard), new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            async () =>
            {
                if (!slot.TryRun(Call(guard), new CancellationToken(true), out _, out Task<GuardDecision>? pending))
                {
                    await pending;
                }
            },
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task TryRun_StageOfAHost_IsAlwaysAwaited()
    {
        await using var guard = new GuardFixture(_ => { });
        var slot = new StageSlot<RequestContext>(new Quick(), Deadline, TimeProvider.System, NullLogger.Instance);
        Assert.That(slot.TryRun(Call(guard), default, out GuardDecision decision, out Task<GuardDecision>? pending), Is.False);
        Assert.That(decision.Kind, Is.EqualTo(GuardDecisionKind.Deny), "nothing is decided yet");
        Assert.That((await pending!).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That((slot.Name, slot.Stage), Is.EqualTo(("quick", slot.Stage)));
    }

    private static RequestContext Call(GuardFixture guard) => (RequestContext)guard.Guard.OpenConnection("test").CreateRequest("tools/call", """{"name":"echo"}"""u8, new GuardCaller("ada", "s1"));

    /// <summary>Moves the clock on until the stage is given up: its timer may not be set yet.</summary>
    private static async Task<GuardDecision> PastAsync(FakeTimeProvider time, Task<GuardDecision> running)
    {
        await Eventually.True(() =>
        {
            time.Advance(Deadline);
            return running.IsCompleted;
        });
        return await running;
    }

    private sealed class Hanging : IGuardStage<RequestContext>
    {
        private readonly System.Collections.Concurrent.ConcurrentBag<TaskCompletionSource<GuardDecision>> _open = [];
        private int _started;
        private int _told;

        public string Name => "hanging";

        public int Started => Volatile.Read(ref _started);

        public int Told => Volatile.Read(ref _told);

        public void EndOne()
        {
            if (_open.TryTake(out TaskCompletionSource<GuardDecision>? one))
            {
                one.SetException(new InvalidOperationException("at last"));
            }
        }

        public async ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
        {
            var never = new TaskCompletionSource<GuardDecision>();
            _open.Add(never);
            ct.Register(() => Interlocked.Increment(ref _told));
            Interlocked.Increment(ref _started);
            return await never.Task;
        }
    }

    private sealed class Noted : Microsoft.Extensions.Logging.ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<int> _events = new();

        public IEnumerable<int> Events => _events;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _events.Enqueue(eventId.Id);
    }

    private sealed class Quick : IGuardStage<RequestContext>
    {
        public string Name => "quick";

        public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct) => new(GuardDecision.Continue);
    }

    private sealed class Store(string how) : IRateLimitStore
    {
        public ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct) => how switch
        {
            "at once" => new(new RateLimitLease(true, null, null)),
            "throws" => throw new IOException("secret"),
            "cancels" => throw new OperationCanceledException("secret"),
            "times out" => throw new TimeoutException("secret"),
            _ => LaterAsync(),
        };

        private async ValueTask<RateLimitLease> LaterAsync()
        {
            await Task.Yield();
            return how switch
            {
                "throws later" => throw new IOException("secret"),
                "cancels later" => throw new OperationCanceledException("secret"),
                _ => new RateLimitLease(true, null, null),
            };
        }
    }
}
