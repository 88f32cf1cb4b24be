using System.Text.Json;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;
using static Mcp.Guard.Tests.Stages.Consent.ConsentScenarioTests;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>Faults of the parts that consent stands on: what each becomes, what is said of it, and whose cancellation goes on to the caller.</summary>
[TestFixture]
internal sealed class ConsentFaultTests
{
    private static readonly ConsentOptions Quick = new() { MergeWindow = TimeSpan.Zero };

    // Only the caller's own cancellation goes on to it; a part that cancels by itself has failed.
    [TestCase("asked", false, GuardDenialCodes.AuditUnavailable, "the question could not be recorded (OperationCanceledException)")]
    [TestCase("asked", true, null, null)]
    [TestCase("allow-once", false, GuardDenialCodes.AuditUnavailable, "the answer could not be recorded (OperationCanceledException)")]
    [TestCase("allow-once", true, null, null)]
    [TestCase("deny", false, GuardDenialCodes.ConsentDenied, "a person said no")]
    [TestCase("deny", true, null, null)]
    public async Task Decide_RecordIsCancelled_OnlyTheCallersCancellationGoesOn(string record, bool byTheCaller, string? code, string? note)
    {
        using var caller = new CancellationTokenSource();
        var desk = new ConsentDesk(request => record == "deny" ? ConsentAnswer.Deny(request) : ConsentAnswer.AllowOnce(request))
        {
            FailRecordOf = record,
            RecordFault = () =>
            {
                if (byTheCaller)
                {
                    caller.Cancel();
                }

                return new OperationCanceledException();
            },
        };
        if (byTheCaller)
        {
            Assert.That(async () => await desk.Decide(new FakeSubject(), caller.Token), Throws.InstanceOf<OperationCanceledException>());
            return;
        }

        ConsentVerdict verdict = await desk.Decide(new FakeSubject(), caller.Token);
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, code, note)));
        Assert.That(desk.Log.Lines.Any(line => line.StartsWith("5004 OperationCanceledException", StringComparison.Ordinal) && line.Contains("d1", StringComparison.Ordinal)), Is.EqualTo(record == "deny"));
    }

    // A store that hangs or throws while its caller gives up: no question for a call that nobody waits for.
    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(true, true)]
    public async Task Find_CallerGivesUp_CancellationGoesOn(bool synchronously, bool hangs)
    {
        using var caller = new CancellationTokenSource();
        await caller.CancelAsync();
        IConsentStore store = synchronously && !hangs ? new InMemoryConsentStore(TimeProvider.System) : new FailingConsentStore(synchronously) { Hangs = hangs };
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce, store: store);
        Assert.That(async () => await desk.Service.FindAsync(new FakeSubject(), caller.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(desk.Shown, Is.Empty);
    }

    [Test]
    public async Task Decide_StoreFails_IsLoggedWithWhatItFailedTo()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request), store: new FailingConsentStore(synchronously: true));
        Assert.That((await desk.Decide(new FakeSubject { DecisionId = "d7" })).IsAllowed, Is.True);
        await desk.Service.RevokeAsync("g");
        Assert.That(desk.Log.Lines.Select(line => line.Split(';')[0]), Is.EqualTo(new[]
        {
            "5001 IOException The consent store failed to take for decision d7",
            "5001 IOException The consent store failed to add for decision d7",
            "5001 IOException The consent store failed to revoke for decision ",
        }));
    }

    [TestCase(true, true)]
    [TestCase(false, false)]
    public async Task Decide_StoreReturnsLater_ItsGrantCountsWhereItCoversTheCall(bool covers, bool allowed)
    {
        var subject = new FakeSubject();
        FakeSubject other = covers ? subject : new FakeSubject("""{"other":1}""");
        var store = new FailingConsentStore(synchronously: false)
        {
            ReturnsLater = true,
            Returns = new ConsentGrant { GrantId = "g", Binding = ConsentService.BindingOf(other, other.ArgumentsDigest!), ExpiresAt = DateTimeOffset.MaxValue },
        };
        var desk = new ConsentDesk(ConsentAnswer.Deny, store: store);
        ConsentVerdict verdict = await desk.Decide(subject);
        Assert.That((verdict.IsAllowed, desk.Shown.Count, desk.Log.Lines.Count), Is.EqualTo((allowed, covers ? 0 : 1, 0)));
        Assert.That(verdict.Note, Is.EqualTo(covers ? "g" : "a person said no"));
    }

    [Test]
    public async Task Decide_AgreementToAChangeThrows_IsRefusedOnRecordAndLogged()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject
        {
            Differences = new ToolDifferences([new ToolChange("/description", "\"a\"", "\"b\"")], 0, false),
            OnAgreement = () => throw new IOException("full"),
        });
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ToolChanged, "the agreement to the change could not be kept")));
        Assert.That(desk.Records.Last(), Is.EqualTo(("d1", "deny", "the agreement to the change could not be kept", (string?)null)));
        Assert.That(desk.Log.Lines.Single(), Does.StartWith("5001 IOException The consent store failed to pin for decision d1;"));
    }

    // An agreement is asked of the pins where something changed, and only there.
    [Test]
    public async Task Decide_LastingAnswerWithoutAChange_TouchesNoPin()
    {
        bool agreed = false;
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject
        {
            OnAgreement = () =>
            {
                agreed = true;
                return null;
            },
        });
        Assert.That((verdict.IsAllowed, agreed), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task Decide_DefinitionChangedWhileThePersonRead_IsRefusedOnRecord()
    {
        var subject = new FakeSubject();
        var desk = new ConsentDesk(request =>
        {
            subject.CurrentFingerprint = new string('d', 64);
            return ConsentAnswer.AllowOnce(request);
        });
        ConsentVerdict verdict = await desk.Decide(subject);
        const string Note = "the definition changed while the prompt was open; the answer is discarded";
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, GuardDenialCodes.ToolChanged, Note)));
        Assert.That(desk.Records.Last(), Is.EqualTo(("d1", "deny", Note, (string?)null)));
    }

    // What fails while the question is made, before anyone is asked, ends the calls that wait for it.
    [Test]
    public async Task Decide_QuestionCannotBeMade_CallsAreDeniedAndItIsLogged()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce);
        ConsentVerdict verdict = await desk.Decide(new FakeSubject { Definition = Disposed() }).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, GuardDenialCodes.ConsentUnavailable, "asking failed (ObjectDisposedException)")));
        Assert.That(desk.Log.Lines.Single(), Does.StartWith("5003 ObjectDisposedException"));
        Assert.That(desk.Service.OpenPrompts, Is.Zero);

        static JsonElement Disposed()
        {
            using var document = JsonDocument.Parse("""{"title":"t"}""");
            return document.RootElement;
        }
    }

    [Test]
    public async Task Decide_ProviderFails_IsLoggedAndItsScopeEnds()
    {
        var scope = new Scope();
        var desk = new ConsentDesk((Func<ConsentRequest, ConsentAnswer?>)(_ => throw new IOException("no terminal"))) { Scope = scope };
        Assert.That((await desk.Decide(new FakeSubject())).IsAllowed, Is.False);
        Assert.That(desk.Log.Lines.Single(), Does.StartWith("5002 IOException The consent provider failed for decision d1;"));
        Assert.That(scope.Ended, Is.EqualTo(1));
    }

    // Time that passes in the wall clock alone, as over a standby, makes an answer late too.
    [TestCase(-1, true)]
    [TestCase(0, false)]
    public async Task Decide_ClockPassesTheDeadlineWithoutATimer_AnswerIsTooLate(int milliseconds, bool allowed)
    {
        var time = new SteppedTime();
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        var provider = new Source(request =>
        {
            time.Now = request.Deadline + TimeSpan.FromMilliseconds(milliseconds);
            return ConsentAnswer.AllowOnce(request);
        });
        var service = new ConsentService(new InMemoryConsentStore(time), provider, desk, Quick, time, desk.Log);
        ConsentVerdict verdict = await service.DecideAsync(new FakeSubject(), default);
        Assert.That((verdict.IsAllowed, verdict.Code), Is.EqualTo((allowed, allowed ? string.Empty : GuardDenialCodes.ConsentTimeout)));
    }

    [TestCase("open", "too many prompts are open")]
    [TestCase("user", "too many prompts are open")]
    [TestCase("merged", "too many identical calls wait for one prompt")]
    public async Task Decide_MoreThanMayWait_SaysWhichBound(string bound, string note)
    {
        var options = Quick with { MaxOpenPrompts = bound == "open" ? 1 : 9, MaxOpenPromptsPerUser = bound == "user" ? 1 : 9, MaxMergedCalls = 1 };
        var answer = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)), options);
        Task<ConsentVerdict> open = desk.Decide(new FakeSubject()).AsTask();
        await Until(() => !desk.Shown.IsEmpty);
        ConsentVerdict verdict = await desk.Decide(new FakeSubject(bound == "merged" ? """{"path":"/srv/a"}""" : """{"n":1}""")).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentUnavailable, note)));
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.First()));
        await open;
    }

    // A user may be named like a connection: each has its own share.
    [TestCase("ada", false, false)]
    [TestCase("bob", false, true)]
    [TestCase("s9", true, true)]
    public async Task Decide_OneUsersOpenPrompts_LeaveTheOthersTheirs(string user, bool isConnection, bool isAsked)
    {
        var never = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(never.Task.WaitAsync(ct)), Quick with { MaxOpenPromptsPerUser = 1 });
        using var stop = new CancellationTokenSource();
        Task<ConsentVerdict> open = desk.Decide(new FakeSubject(), stop.Token).AsTask();
        await Until(() => desk.Shown.Count == 1);
        var next = new FakeSubject("""{"n":1}""") { Caller = isConnection ? GuardCaller.ForConnection(user) : new GuardCaller(user, "s1") };
        Task<ConsentVerdict> second = desk.Decide(next, stop.Token).AsTask();
        await Until(() => second.IsCompleted || desk.Shown.Count == 2);
        Assert.That(desk.Shown, Has.Count.EqualTo(isAsked ? 2 : 1));
        await stop.CancelAsync();
        Assert.That(async () => await open, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await second, isAsked ? Throws.InstanceOf<OperationCanceledException>() : Throws.Nothing);
    }

    // The first of two merged calls gives up: the question stays open for the other.
    [Test]
    public async Task Decide_OneOfTwoMergedCallsGivesUp_TheOtherIsAnswered()
    {
        var answer = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        using var stop = new CancellationTokenSource();
        Task<ConsentVerdict> first = desk.Decide(new FakeSubject(), stop.Token).AsTask();
        await Until(() => desk.Shown.Count == 1);
        Task<ConsentVerdict> second = desk.Decide(new FakeSubject { DecisionId = "d2" }).AsTask();
        await stop.CancelAsync();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        Assert.That((desk.Service.OpenPrompts, second.IsCompleted), Is.EqualTo((1, false)));
        answer.SetResult(ConsentAnswer.AllowTool(desk.Shown.First()));
        Assert.That((await second.WaitAsync(TimeSpan.FromSeconds(30))).IsAllowed, Is.True);
    }

    // The last one gives up: the question is closed at once, and the next identical call opens another.
    [Test]
    public async Task Decide_LastCallGivesUp_ClosesTheQuestionAtOnce()
    {
        var never = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, _) => new ValueTask<ConsentAnswer>(never.Task));
        using var stop = new CancellationTokenSource();
        Task<ConsentVerdict> first = desk.Decide(new FakeSubject(), stop.Token).AsTask();
        await Until(() => desk.Shown.Count == 1);
        await stop.CancelAsync();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(desk.Service.OpenPrompts, Is.Zero);
        using var again = new CancellationTokenSource();
        Task<ConsentVerdict> second = desk.Decide(new FakeSubject(), again.Token).AsTask();
        await Until(() => desk.Shown.Count == 2);
        await Until(() => desk.Service.AbandonedPrompts == 1);
        Assert.That(desk.Service.OpenPrompts, Is.EqualTo(1), "the end of the first leaves the second open");
        await again.CancelAsync();
        Assert.That(async () => await second, Throws.InstanceOf<OperationCanceledException>());
        never.SetResult(null!);
        await Until(() => desk.Service.AbandonedPrompts == 0);
    }

    [Test]
    public async Task WhenNoPromptIsOpen_SeveralWait_AllGoOn()
    {
        var answer = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = desk.Decide(new FakeSubject()).AsTask();
        await Until(() => desk.Shown.Count == 1);
        Task[] waiting = [.. Enumerable.Range(0, 3).Select(_ => desk.Service.WhenNoPromptIsOpenAsync(default))];
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.First()));
        await open;
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(desk.Service.OpenPrompts, Is.Zero);
    }

    private sealed class Scope : IAsyncDisposable
    {
        public int Ended { get; private set; }

        public ValueTask DisposeAsync()
        {
            Ended++;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class SteppedTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Source(Func<ConsentRequest, ConsentAnswer> person) : IConsentProviderSource, IConsentProvider
    {
        public bool IsAvailable => true;

        public ConsentProviderLease Open() => new(this, null);

        public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct) => new(person(request));
    }
}
