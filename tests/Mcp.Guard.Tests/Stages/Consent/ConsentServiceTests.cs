using Mcp.Guard.Stages.Consent;
using static Mcp.Guard.Tests.Stages.Consent.ConsentScenarioTests;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class ConsentServiceTests
{
    private static readonly ConsentOptions Quick = new() { MergeWindow = TimeSpan.Zero };

    [Test]
    public async Task Decide_OneTimeGrantUsedInParallel_GivesOneCall()
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny) { IsAvailable = false };
        var subject = new FakeSubject();
        await desk.Service.GrantOnceAsync(ConsentService.BindingOf(subject, subject.ArgumentsDigest!), TimeSpan.FromMinutes(1), default);
        using var start = new ManualResetEventSlim();
        Task<ConsentVerdict>[] calls = [.. Enumerable.Range(0, 1000).Select(_ => Task.Run(async () =>
        {
            start.Wait();
            return await desk.Decide(new FakeSubject());
        }))];
        start.Set();
        ConsentVerdict[] verdicts = await Task.WhenAll(calls);
        Assert.That(verdicts.Count(verdict => verdict.IsAllowed), Is.EqualTo(1));
        Assert.That(verdicts.Where(verdict => !verdict.IsAllowed).Select(verdict => verdict.Code).Distinct(), Is.EqualTo(new[] { GuardDenialCodes.ConsentUnavailable }));
    }

    [Test]
    public async Task Decide_IdenticalCalls_AreMergedAndOnceAdmitsOne()
    {
        var desk = new ConsentDesk(request => request.MergedCalls == 5 ? ConsentAnswer.AllowOnce(request) : ConsentAnswer.Deny(request), new ConsentOptions());
        Task<ConsentVerdict>[] calls = [.. Enumerable.Range(0, 5).Select(i => desk.Decide(new FakeSubject() { DecisionId = $"d{i}" }).AsTask())];
        await Advance(desk, Task.WhenAll(calls), TimeSpan.FromMilliseconds(50));
        Assert.That(calls.Count(call => call.Result.IsAllowed), Is.EqualTo(1));
        Assert.That(desk.Shown.Select(request => request.MergedCalls), Is.EqualTo(new[] { 5, 4 }));
        Assert.That(desk.Records.Where(record => record.Decision == "asked").Select(record => record.DecisionId).Distinct().Count(), Is.EqualTo(5), "each has its record");
        Assert.That(desk.Records.Where(record => record.Decision is "deny" or "allow-once").Select(record => record.DecisionId).Distinct().Count(), Is.EqualTo(5));
    }

    [Test]
    public async Task Decide_IdenticalCallsApprovedTogether_AreAllAdmitted()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowOnce(request).ForMergedCalls().By("ada"), new ConsentOptions());
        Task<ConsentVerdict>[] calls = [.. Enumerable.Range(0, 5).Select(_ => desk.Decide(new FakeSubject()).AsTask())];
        await Advance(desk, Task.WhenAll(calls), TimeSpan.FromMilliseconds(50));
        Assert.That(calls.All(call => call.Result is { IsAllowed: true, WasAsked: true }));
        Assert.That(desk.Shown, Has.Count.EqualTo(1));
        Assert.That(desk.Records.Count(record => record is { Decision: "allow-once", By: "ada" }), Is.EqualTo(5));
        Assert.That((await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default)), Is.Empty, "nothing lasts");
    }

    [Test]
    public async Task Decide_CallThatCameAfterThePromptWasShown_IsNotAmongTheApproved()
    {
        var answer = new TaskCompletionSource<ConsentAnswer>();
        ConsentDesk desk = null!;
        desk = new ConsentDesk((request, _) => ReferenceEquals(request, desk.Shown.First()) ? new ValueTask<ConsentAnswer>(answer.Task) : new(ConsentAnswer.Deny(request)));
        Task<ConsentVerdict> first = desk.Decide(new FakeSubject()).AsTask();
        await Until(() => !desk.Shown.IsEmpty);
        Task<ConsentVerdict> second = desk.Decide(new FakeSubject()).AsTask();
        answer.SetResult(ConsentAnswer.AllowOnce(desk.Shown.First()).ForMergedCalls());
        Assert.That((await first).IsAllowed, Is.True);
        Assert.That((await second).IsAllowed, Is.False);
        Assert.That(desk.Shown.Select(request => request.MergedCalls), Is.EqualTo(new[] { 1, 1 }));
    }

    [Test]
    public async Task Decide_CallsOfOtherCallers_AreNotMerged()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce, new ConsentOptions());
        Task<ConsentVerdict>[] calls = [desk.Decide(new FakeSubject()).AsTask(), desk.Decide(new FakeSubject(user: "bob")).AsTask(), desk.Decide(new FakeSubject(session: "s2")).AsTask()];
        await Advance(desk, Task.WhenAll(calls), TimeSpan.FromMilliseconds(50));
        Assert.That(desk.Shown.Select(request => request.MergedCalls), Is.EqualTo(new[] { 1, 1, 1 }));
    }

    [Test]
    public async Task Decide_Never_IsKeptForTheUserWhateverChanges()
    {
        var desk = new ConsentDesk(ConsentAnswer.Never);
        Assert.That((await desk.Decide(new FakeSubject())).Code, Is.EqualTo(GuardDenialCodes.ConsentDenied));
        desk.Time.Advance(TimeSpan.FromDays(400));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject("""{"other":1}""", session: "s9") { Fingerprint = new string('c', 64), PolicyRevision = "p9" });
        Assert.That(verdict.Code, Is.EqualTo(GuardDenialCodes.ConsentDenied));
        Assert.That(desk.Shown, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Decide_NeverOfAnUnnamedCaller_HoldsForItsConnectionOnly()
    {
        var desk = new ConsentDesk(ConsentAnswer.Never);
        await desk.Decide(new FakeSubject() { Caller = GuardCaller.ForConnection("c1") });
        await desk.Decide(new FakeSubject() { Caller = GuardCaller.ForConnection("c2") });
        Assert.That(desk.Shown, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Decide_LastingAnswer_HoldsAcrossSessionsOnlyWithALifetime()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request, TimeSpan.FromDays(30)));
        await desk.Decide(new FakeSubject());
        Assert.That((await desk.Decide(new FakeSubject("""{"x":1}""", session: "s2"))).IsAllowed, Is.True);
        Assert.That(desk.Shown, Has.Count.EqualTo(1));
        await desk.Decide(new FakeSubject() { PolicyRevision = "p2" });
        await desk.Decide(new FakeSubject() { Fingerprint = new string('b', 64) });
        Assert.That(desk.Shown, Has.Count.EqualTo(3), "another policy or definition asks");
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(31)]
    public async Task Decide_LifetimeOutOfRange_Denies(int days)
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request, TimeSpan.FromDays(days)));
        Assert.That((await desk.Decide(new FakeSubject())).IsAllowed, Is.False);
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public async Task Decide_ArgumentsThatAreCut_OfferNothingLasting()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject($$"""{"body":"{{new string('x', 50_000)}}"}"""));
        Assert.That(verdict.IsAllowed, Is.False, "an answer that was not offered denies");
        Assert.That(desk.Shown.Single().IsCut, Is.True);
        Assert.That(desk.Shown.Single().Offered, Is.EqualTo(ConsentScopes.Once | ConsentScopes.Never));
    }

    [Test]
    public async Task Decide_ScopeThatThePolicyDoesNotPermit_IsNotOffered()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTheseArguments(request));
        Assert.That((await desk.Decide(new FakeSubject() { Permitted = ConsentScopes.None })).IsAllowed, Is.False);
        Assert.That(desk.Shown.Single().Offered, Is.EqualTo(ConsentScopes.Once));
    }

    [Test]
    public async Task Decide_MorePromptsThanAPersonStands_AreDeniedUnasked()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce, Quick with { PromptsPerPeriod = 3 });
        for (int i = 0; i < 3; i++)
        {
            Assert.That((await desk.Decide(new FakeSubject($$"""{"n":{{i}}}"""))).IsAllowed, Is.True);
        }

        ConsentVerdict verdict = await desk.Decide(new FakeSubject("""{"n":9}"""));
        Assert.That(verdict.Code, Is.EqualTo(GuardDenialCodes.RateLimited));
        Assert.That(verdict.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(20)));
        Assert.That((await desk.Decide(new FakeSubject(server: "other"))).IsAllowed, Is.True, "other servers are asked about");
        desk.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.That((await desk.Decide(new FakeSubject("""{"n":9}"""))).IsAllowed, Is.True);
    }

    [Test]
    public async Task Decide_OpenPrompts_AreBounded()
    {
        var never = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(never.Task.WaitAsync(ct)), Quick with { MaxOpenPrompts = 3, MaxOpenPromptsPerUser = 2, MaxMergedCalls = 2 });
        using var stop = new CancellationTokenSource();
        Task<ConsentVerdict>[] open =
        [
            desk.Decide(new FakeSubject("""{"n":1}"""), stop.Token).AsTask(),
            desk.Decide(new FakeSubject("""{"n":2}"""), stop.Token).AsTask(),
            desk.Decide(new FakeSubject("""{"n":2}"""), stop.Token).AsTask(),
            desk.Decide(new FakeSubject(user: "bob"), stop.Token).AsTask(),
        ];
        await Until(() => desk.Shown.Count == 3);
        Assert.That((await desk.Decide(new FakeSubject("""{"n":3}"""))).Code, Is.EqualTo(GuardDenialCodes.ConsentUnavailable), "two for one user");
        Assert.That((await desk.Decide(new FakeSubject("""{"n":2}"""))).Code, Is.EqualTo(GuardDenialCodes.ConsentUnavailable), "two for one prompt");
        Assert.That((await desk.Decide(new FakeSubject(user: "eve"))).Code, Is.EqualTo(GuardDenialCodes.ConsentUnavailable), "three in all");
        Task closed = desk.Service.WhenNoPromptIsOpenAsync(default);
        Assert.That(closed.IsCompleted, Is.False);
        await stop.CancelAsync();
        foreach (Task<ConsentVerdict> call in open)
        {
            await AssertCancelledAsync(call);
        }

        await closed;
        Assert.That(desk.Service.OpenPrompts, Is.Zero);
        await Until(() => desk.Service.AbandonedPrompts == 0);
    }

    [Test]
    public async Task Decide_CallerGivesUp_CancelsThePromptOfTheLastOne()
    {
        var cancelled = new TaskCompletionSource();
        var desk = new ConsentDesk(async (request, ct) =>
        {
            await using CancellationTokenRegistration registration = ct.Register(cancelled.SetResult);
            await cancelled.Task;
            return ConsentAnswer.AllowTool(request);
        });
        using var stop = new CancellationTokenSource();
        Task<ConsentVerdict> call = desk.Decide(new FakeSubject(), stop.Token).AsTask();
        await Until(() => !desk.Shown.IsEmpty);
        await stop.CancelAsync();
        await AssertCancelledAsync(call);
        await cancelled.Task;
        await Until(() => desk.Service.AbandonedPrompts == 0);
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public async Task Decide_StoreFails_AsksAgainAndNeverTakesItForAGrant([Values] bool synchronously)
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request), store: new FailingConsentStore(synchronously));
        Assert.That((await desk.Decide(new FakeSubject())).WasAsked, Is.True);
        Assert.That((await desk.Decide(new FakeSubject())).WasAsked, Is.True);
        Assert.That(desk.Shown, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Decide_StoreReturnsAGrantForSomethingElse_Asks()
    {
        var wrong = new FakeSubject("""{"other":1}""");
        var store = new FailingConsentStore(synchronously: true)
        {
            Returns = new ConsentGrant { GrantId = "g", Binding = ConsentService.BindingOf(wrong, wrong.ArgumentsDigest!), ExpiresAt = DateTimeOffset.MaxValue },
        };
        var desk = new ConsentDesk(ConsentAnswer.Deny, store: store);
        Assert.That((await desk.Decide(new FakeSubject())).IsAllowed, Is.False);
        Assert.That(desk.Shown, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Decide_StoreHangs_AsksAfterItsTime()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce, store: new FailingConsentStore(synchronously: false) { Hangs = true });
        Task<ConsentVerdict> call = desk.Decide(new FakeSubject()).AsTask();
        await Advance(desk, call, Quick.StoreTimeout);
        Assert.That((await call).WasAsked, Is.True);
    }

    [Test]
    public async Task Decide_Intent_IsQuotedBoundedAndLast()
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        await desk.Decide(new FakeSubject() { Caller = new GuardCaller("ada", "s1") { Intent = "The user asked.\u202e\nAllowed by: IT" + new string('x', 5000) } });
        ConsentRequest shown = desk.Shown.Single();
        Assert.That(shown.ModelSuppliedIntent, Does.StartWith("\"The user asked.\\u202E\\nAllowed by: IT").And.Contain("characters not shown"));
        Assert.That(ConsentText.Of(shown).TrimEnd().Split('\n')[^1], Does.StartWith("  The model says why: \"The user asked."));
    }

    [TestCase(0, false)]
    [TestCase(-1, false)]
    [TestCase(1, true)]
    [TestCase(3600, true)]
    [TestCase(3601, false)]
    public async Task GrantOnce_Lifetime_IsMoreThanZeroAndAtMostAnHour(int seconds, bool holds)
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        var subject = new FakeSubject();
        ConsentBinding binding = ConsentService.BindingOf(subject, subject.ArgumentsDigest!);
        if (!holds)
        {
            Assert.That(async () => await desk.Service.GrantOnceAsync(binding, TimeSpan.FromSeconds(seconds), default), Throws.InstanceOf<ArgumentOutOfRangeException>());
            return;
        }

        string id = await desk.Service.GrantOnceAsync(binding, TimeSpan.FromSeconds(seconds), default);
        ConsentGrant grant = (await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default)).Single();
        Assert.That((grant.GrantId, grant.IsSingleUse, grant.IsRefusal, grant.CoversAnyArguments, grant.CoversAnySession), Is.EqualTo((id, true, false, false, false)));
        Assert.That(grant.ExpiresAt, Is.EqualTo(desk.Time.GetUtcNow() + TimeSpan.FromSeconds(seconds)));
        ConsentVerdict verdict = await desk.Decide(subject);
        Assert.That((verdict.IsAllowed, verdict.WasAsked, verdict.Note), Is.EqualTo((true, false, id)));
        Assert.That((await desk.Decide(subject)).IsAllowed, Is.False, "used up");
    }

    [Test]
    public async Task Revoke_Grant_IsGoneAndAStoreThatFailsIsNoFault()
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        var subject = new FakeSubject();
        string id = await desk.Service.GrantOnceAsync(ConsentService.BindingOf(subject, subject.ArgumentsDigest!), TimeSpan.FromMinutes(1), default);
        await desk.Service.RevokeAsync(id);
        Assert.That((await desk.Decide(subject)).IsAllowed, Is.False);
        var failing = new ConsentDesk(ConsentAnswer.Deny, store: new FailingConsentStore(synchronously: true));
        Assert.That(async () => await failing.Service.RevokeAsync(id), Throws.Nothing);
    }

    [Test]
    public async Task Decide_StandingRefusal_SaysWhich()
    {
        var desk = new ConsentDesk(ConsentAnswer.Never);
        ConsentVerdict first = await desk.Decide(new FakeSubject());
        Assert.That(first.Note, Is.EqualTo("a person said never"));
        string id = (await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default)).Single().GrantId;
        ConsentVerdict verdict = await desk.Decide(new FakeSubject());
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, GuardDenialCodes.ConsentDenied, $"a standing refusal ({id})")));
        Assert.That(id, Does.Match("^[0-9a-f]{32}$"));
    }

    [Test]
    public async Task Decide_ArgumentsWithoutASingleMeaning_NobodyIsAsked()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce);
        var subject = new FakeSubject("""{"a":1,"a":2}""");
        foreach (ConsentVerdict verdict in (ConsentVerdict[])[await desk.Decide(subject), await desk.Service.AskAsync(subject, default)])
        {
            Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, GuardDenialCodes.ArgumentsMalformed, "the arguments have no single meaning, so no consent can be bound to them")));
        }

        Assert.That(desk.Shown, Is.Empty);
    }

    [Test]
    public async Task Decide_NoProvider_IsUnavailableAndOnRecord()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce) { IsAvailable = false };
        ConsentVerdict verdict = await desk.Decide(new FakeSubject());
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentUnavailable, "no consent provider is set")));
        Assert.That(desk.Records.Single(), Is.EqualTo(("d1", "unavailable", "no consent provider is set", (string?)null)));
    }

    [TestCase("asked", "the question could not be recorded (IOException)", 0)]
    [TestCase("allow-once", "the answer could not be recorded (IOException)", 1)]
    public async Task Decide_AgreementThatCannotBeRecorded_HasNoEffect(string record, string note, int shown)
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce) { FailRecordOf = record };
        ConsentVerdict verdict = await desk.Decide(new FakeSubject());
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Note), Is.EqualTo((false, GuardDenialCodes.AuditUnavailable, note)));
        Assert.That(desk.Shown, Has.Count.EqualTo(shown));
    }

    [Test]
    public async Task Decide_RefusalThatCannotBeRecorded_Stands()
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny) { FailRecordOf = "deny" };
        ConsentVerdict verdict = await desk.Decide(new FakeSubject());
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentDenied, "a person said no")));
    }

    [Test]
    public async Task Decide_ProviderThrowsOrReturnsNothing_Denies()
    {
        var throws = new ConsentDesk((Func<ConsentRequest, ConsentAnswer?>)(_ => throw new InvalidOperationException("secret")));
        ConsentVerdict verdict = await throws.Decide(new FakeSubject());
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentUnavailable, "the provider failed (InvalidOperationException)")));
        var nothing = new ConsentDesk((Func<ConsentRequest, ConsentAnswer?>)(_ => null));
        verdict = await nothing.Decide(new FakeSubject());
        Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentDenied, "the provider returned no answer")));
    }

    // A provider that ends with the time-out of its own, or with the answer too late, gives no consent either way.
    [TestCase(-1, true)]
    [TestCase(0, false)]
    [TestCase(1, false)]
    public async Task Decide_AnswerAtTheDeadline_IsTooLate(int milliseconds, bool allowed)
    {
        ConsentDesk desk = null!;
        desk = new ConsentDesk(request =>
        {
            desk.Time.SetUtcNow(request.Deadline + TimeSpan.FromMilliseconds(milliseconds));
            return ConsentAnswer.AllowOnce(request);
        });
        ConsentVerdict verdict = await desk.Decide(new FakeSubject());
        Assert.That(verdict.IsAllowed, Is.EqualTo(allowed));
        Assert.That(desk.Shown.Single().Deadline, Is.EqualTo(new DateTimeOffset(2026, 1, 2, 3, 6, 5, TimeSpan.Zero)));
        if (!allowed)
        {
            Assert.That((verdict.Code, verdict.Note), Is.EqualTo((GuardDenialCodes.ConsentTimeout, "no answer in time")));
        }
    }

    [Test]
    public async Task Decide_WhoAnswered_IsOnRecordInBounds()
    {
        foreach (int length in (int[])[256, 257, 5_000])
        {
            var desk = new ConsentDesk(request => ConsentAnswer.AllowOnce(request).By(new string('a', length)));
            await desk.Decide(new FakeSubject());
            Assert.That(desk.Records.Single(record => record.Decision == "allow-once").By, Is.EqualTo(new string('a', 256)));
        }
    }

    [Test]
    public async Task Decide_Request_ShowsWhatIsKnownOfTheCall()
    {
        using var tool = System.Text.Json.JsonDocument.Parse("""{"title":"T","description":5}""");
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        var subject = new FakeSubject
        {
            Definition = tool.RootElement,
            Reasons = [.. Enumerable.Range(1, 20).Select(i => $"reason\n{i}")],
            IsDestructive = false,
            IsOpenWorld = false,
        };
        await desk.Decide(subject);
        ConsentRequest shown = desk.Shown.Single();
        Assert.Multiple(() =>
        {
            Assert.That((shown.DecisionId, shown.ServerId, shown.Method, shown.ToolName, shown.MergedCalls), Is.EqualTo(("d1", "files", "tools/call", "delete_file", 1)));
            Assert.That((shown.ServerSuppliedTitle, shown.ServerSuppliedDescription, shown.ModelSuppliedIntent), Is.EqualTo(("\"T\"", (string?)null, (string?)null)));
            Assert.That(shown.Reasons, Is.EqualTo(Enumerable.Range(1, 16).Select(i => $"reason\\n{i}")), "sixteen, one line each");
            Assert.That((shown.IsDestructive, shown.IsOpenWorld, shown.IsCut), Is.EqualTo((false, false, false)));
            Assert.That(shown.Caller, Is.SameAs(subject.Caller));
            Assert.That(shown.Offered, Is.EqualTo(ConsentScopes.Once | ConsentScopes.TheseArguments | ConsentScopes.Tool | ConsentScopes.Never));
            Assert.That(desk.Records.First(record => record.Decision == "asked").Reason, Does.StartWith("reason\n1; reason\n2; "));
        });
        ConsentRequest described = desk.Service.Describe(subject);
        Assert.That(described.RequestId, Is.Not.EqualTo(shown.RequestId));
        Assert.That((described.ArgumentsForDisplay, described.MergedCalls), Is.EqualTo((shown.ArgumentsForDisplay, 1)));
    }

    // What a lasting answer could be bound to is missing where the call has no definition.
    [Test]
    public async Task Decide_CallWithoutADefinition_OffersNothingLasting()
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        await desk.Decide(new FakeSubject { Fingerprint = string.Empty });
        Assert.That(desk.Shown.Single().Offered, Is.EqualTo(ConsentScopes.Once | ConsentScopes.Never));
    }

    [Test]
    public async Task Decide_SessionAnswer_LastsForTheSessionsTime()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTheseArguments(request));
        await desk.Decide(new FakeSubject());
        ConsentGrant grant = (await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default)).Single();
        Assert.That((grant.CoversAnyArguments, grant.CoversAnySession, grant.IsRefusal, grant.IsSingleUse), Is.EqualTo((false, false, false, false)));
        Assert.That(grant.ExpiresAt, Is.EqualTo(desk.Time.GetUtcNow() + Quick.SessionLifetime));
        Assert.That((await desk.Decide(new FakeSubject())).WasAsked, Is.False);
        Assert.That((await desk.Decide(new FakeSubject("""{"other":1}"""))).WasAsked, Is.True);
        Assert.That((await desk.Decide(new FakeSubject(session: "s2"))).WasAsked, Is.True);
        desk.Time.Advance(Quick.SessionLifetime);
        Assert.That((await desk.Decide(new FakeSubject())).WasAsked, Is.True);
    }

    // Another user's open question holds nobody up, one's own does until it is closed.
    [Test]
    public async Task WhenNoPromptIsOpen_OfACaller_WaitsForItsOwnOnly()
    {
        var answer = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        var ada = new FakeSubject();
        Assert.That(desk.Service.WhenNoPromptIsOpenAsync(default).IsCompleted, Is.True);
        Assert.That(desk.Service.WhenNoPromptIsOpenAsync(ada.Caller, default).IsCompleted, Is.True);
        Task<ConsentVerdict> open = desk.Decide(ada).AsTask();
        await Until(() => !desk.Shown.IsEmpty);
        Assert.That(desk.Service.OpenPrompts, Is.EqualTo(1));
        Task own = desk.Service.WhenNoPromptIsOpenAsync(ada.Caller, default);
        Task all = desk.Service.WhenNoPromptIsOpenAsync(default);
        Assert.That((own.IsCompleted, all.IsCompleted), Is.EqualTo((false, false)));
        Assert.That(desk.Service.WhenNoPromptIsOpenAsync(new GuardCaller("bob", "s1"), default).IsCompleted, Is.True);
        using var cancel = new CancellationTokenSource();
        Task impatient = desk.Service.WhenNoPromptIsOpenAsync(ada.Caller, cancel.Token);
        await cancel.CancelAsync();
        await AssertCancelledAsync(impatient);
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.First()));
        await open;
        await Task.WhenAll(own, all).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(desk.Service.OpenPrompts, Is.Zero);
    }

    // Of calls that an answer did not cover, those that nobody may be asked about any more end with the limit's code.
    [Test]
    public async Task Decide_MergedCallsBeyondThePromptsOfTheServer_AreDeniedUnasked()
    {
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce, new ConsentOptions { PromptsPerPeriod = 2 });
        Task<ConsentVerdict>[] calls = [.. Enumerable.Range(0, 5).Select(_ => desk.Decide(new FakeSubject()).AsTask())];
        await Advance(desk, Task.WhenAll(calls), TimeSpan.FromMilliseconds(50));
        Assert.That(calls.Count(call => call.Result.IsAllowed), Is.EqualTo(2));
        Assert.That(calls.Where(call => !call.Result.IsAllowed).Select(call => (call.Result.Code, call.Result.Note)), Has.All.EqualTo((GuardDenialCodes.RateLimited, "the server caused too many prompts")));
        Assert.That(desk.Service.OpenPrompts, Is.Zero);
    }

    [Test]
    public async Task Decide_ProvidersThatNeverReturn_AreBounded()
    {
        var never = new TaskCompletionSource<ConsentAnswer>();
        var desk = new ConsentDesk((_, _) => new ValueTask<ConsentAnswer>(never.Task), Quick with { MaxAbandonedPrompts = 2 });
        for (int i = 1; i <= 2; i++)
        {
            Task<ConsentVerdict> call = desk.Decide(new FakeSubject($$"""{"n":{{i}}}""")).AsTask();
            await Until(() => desk.Shown.Count == i);
            await Advance(desk, call, Quick.AnswerTimeout);
            Assert.That((await call).Code, Is.EqualTo(GuardDenialCodes.ConsentTimeout));
        }

        Assert.That(desk.Service.AbandonedPrompts, Is.EqualTo(2));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject("""{"n":3}"""));
        Assert.That((verdict.Code, verdict.Note, desk.Shown.Count), Is.EqualTo((GuardDenialCodes.ConsentUnavailable, "too many earlier prompts have not returned", 2)));
        never.SetResult(null!);
        await Until(() => desk.Service.AbandonedPrompts == 0);
    }

    private static async Task AssertCancelledAsync(Task call)
    {
        try
        {
            await call;
        }
        catch (OperationCanceledException)
        {
            return;
        }

        Assert.Fail("the call was not cancelled");
    }
}
