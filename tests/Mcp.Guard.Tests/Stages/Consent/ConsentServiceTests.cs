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
