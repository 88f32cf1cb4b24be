using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What the loops make of the decisions of their stages: what goes on, what is judged again, and that a decision without a place denies.</summary>
[TestFixture]
internal sealed class GuardPipelineTests
{
    private const string Called = """{"name":"echo","arguments":{"a":1}}""";
    private const string Changed = """{"name":"echo","arguments":{"a":2}}""";
    private static readonly GuardDecision Ask = GuardDecision.AskConsent("why", "the reason");
    private static readonly GuardDecision Continue = GuardDecision.Continue;

    // ---- requests ---------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Request_Denied_IsWhatTheStageSaid()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Roots, GuardDecision.Deny("acme-no", "the reason", "for the model", TimeSpan.FromSeconds(3)));
        List<string> later = guard.Put(guard.Stages.Request, GuardStages.Budgets, Continue);
        Evaluation evaluation = await guard.EvaluateAsync();
        AssertDenial(evaluation.Denial, "acme-no", GuardStages.Roots, "the reason");
        Assert.That((evaluation.Denial!.ModelMessage, evaluation.Denial.RetryAfter), Is.EqualTo(("for the model", (TimeSpan?)TimeSpan.FromSeconds(3))));
        Assert.That(later, Is.Empty, "the first denial ends it");
        AuditRecord record = guard.Guard.Audit.OfKind(AuditKind.Denial).Single();
        Assert.That((record.Code, record.Stage, record.Reason), Is.EqualTo(("acme-no", GuardStages.Roots, "the reason")));
        Assert.That(guard.Guard.Audit.OfKind(AuditKind.Intent).Where(intent => intent.Method == "tools/call"), Is.Empty);
        Assert.That(guard.Running, Is.Zero);
    }

    [Test]
    public async Task Request_Replaced_AllStagesJudgeTheNewValueFromTheStart()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        List<string> before = guard.Put(guard.Stages.Request, GuardStages.Caller, Ask, Continue);
        guard.Put(guard.Stages.Request, GuardStages.Roots, Replace(Changed), Continue);
        List<string> after = guard.Put(guard.Stages.Request, GuardStages.RateLimit, Continue);
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
        Assert.That(evaluation.Payload.GetRawText(), Is.EqualTo(Changed));
        Assert.That((before, after), Is.EqualTo((new List<string> { Called, Changed }, new List<string> { Changed })));
        Assert.That(evaluation.Context.Changes, Is.EqualTo(new[] { "roots:changed" }));
        Assert.That(guard.Guard.Consent.Requests, Is.Empty, "what was asked about is no more");
    }

    [Test]
    public async Task Request_ReplacedTwice_IsDenied()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Roots, Replace(Changed), Replace(Called));
        AssertDenial((await guard.EvaluateAsync()).Denial, GuardDenialCodes.GuardFault, GuardStages.Roots, "a second replacement in one run");
    }

    [TestCase("""{"arguments":{}}""", "'name' is missing")]
    [TestCase("[]", "params is not an object")]
    [TestCase("""{"name":"echo","arguments":[]}""", "'arguments' is not an object")]
    public async Task Request_ReplacedByWhatIsNoCall_IsDenied(string payload, string fault)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Roots, Replace(payload), Continue);
        AssertDenial((await guard.EvaluateAsync()).Denial, GuardDenialCodes.GuardFault, GuardStages.Roots, "the replacement is not acceptable: " + fault);
    }

    [Test]
    public async Task Request_ConsentStageAsksOrReplaces_IsDenied([Values] bool asks)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Consent, asks ? Ask : Replace(Changed));
        AssertDenial((await guard.EvaluateAsync()).Denial, GuardDenialCodes.GuardFault, GuardStages.Consent, "this stage may not ask or replace here");
    }

    [Test]
    public async Task Request_Asked_ReasonsOfAllStagesAreShownOnceInTheirOrder()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Caller, GuardDecision.AskConsent("one", "first reason"));
        guard.Put(guard.Stages.Request, GuardStages.Urls, GuardDecision.AskConsent("two", "second reason"));
        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
        Assert.That(guard.Guard.Consent.Requests.Single().Reasons, Is.EqualTo((string[])["first reason", "second reason"]));
    }

    private static IEnumerable<TestCaseData> SecondThoughts()
    {
        yield return new TestCaseData(Continue, null, null).SetArgDisplayNames("continue");
        yield return new TestCaseData(Replace(Called), null, null).SetArgDisplayNames("replace by the same");
        yield return new TestCaseData(Replace(Changed), GuardDenialCodes.GuardFault, "nothing may be replaced after consent").SetArgDisplayNames("replace");
        yield return new TestCaseData(GuardDecision.AskConsent("new", "another reason"), GuardDenialCodes.ConsentDenied, "a reason to ask appeared after the person had answered").SetArgDisplayNames("ask");
        yield return new TestCaseData(GuardDecision.Deny("acme-no", "changed meanwhile"), "acme-no", "changed meanwhile").SetArgDisplayNames("deny");
    }

    [TestCaseSource(nameof(SecondThoughts))]
    public async Task Request_AfterTheAnswer_IsJudgedAgain(GuardDecision second, string? code, string? reason)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Caller, Ask);
        List<string> seen = guard.Put(guard.Stages.Request, GuardStages.Urls, Continue, second);
        List<string> rate = guard.Put(guard.Stages.Request, GuardStages.RateLimit, Continue, GuardDecision.Deny("rate", "charged twice"));
        List<string> budgets = guard.Put(guard.Stages.Request, GuardStages.Budgets, Continue, GuardDecision.Deny("budget", "charged twice"));
        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That((seen.Count, rate.Count, budgets.Count), Is.EqualTo((2, 1, 1)));
        if (code is null)
        {
            Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
        }
        else
        {
            AssertDenial(evaluation.Denial, code, GuardStages.Urls, reason!);
            Assert.That(guard.Running, Is.Zero);
        }
    }

    // The same reason of another stage is another: the person was not shown that this stage asks too.
    [Test]
    public async Task Request_AfterTheAnswer_AnotherStagesReasonOfTheSameNameIsNew()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Caller, Ask);
        guard.Put(guard.Stages.Request, GuardStages.Urls, Continue, Ask);
        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        AssertDenial((await guard.EvaluateAsync()).Denial, GuardDenialCodes.ConsentDenied, GuardStages.Urls, "a reason to ask appeared");
    }

    [Test]
    public async Task Request_StageThatReplacesByWhatStandsThereAlready_GoesOn()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Request, GuardStages.Roots, Replace(Changed));
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That((evaluation.IsAllowed, evaluation.Payload.GetRawText()), Is.EqualTo((true, Changed)), evaluation.Denial?.Reason);
    }

    [Test]
    public async Task Request_RefusedBeforeAnyStage_IsDeniedForThat()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        List<string> seen = guard.Put(guard.Stages.Request, GuardStages.KillSwitch, Continue);
        RequestContext request = guard.Request();
        request.Refusal = new GuardDenial("acme-no", "acme", "a continuation of nothing");
        AssertDenial((await guard.EvaluateAsync(request)).Denial, "acme-no", "acme", "a continuation of nothing");
        Assert.That(seen, Is.Empty);
    }

    // A continued call was consented to, counted and charged with its first request.
    [TestCase(false)]
    [TestCase(true)]
    public async Task Request_ThatContinuesACall_IsNotAskedAboutAgain(bool slowly)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(_ => { });
        if (slowly)
        {
            guard.Put(guard.Stages.Request, GuardStages.Caller, Continue);
        }

        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        RequestContext first = guard.Request();
        await (await guard.EvaluateAsync(first)).DisposeAsync();
        RequestContext second = guard.Request();
        second.Continues = Continued.After(first);
        Evaluation evaluation = await guard.EvaluateAsync(second);
        Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
        Assert.That(guard.Guard.Consent.Requests, Has.Count.EqualTo(1), "asked about with its first request");
    }

    [TestCase("ping", "{}")]
    [TestCase("tools/call", "[1]")]
    public async Task Request_OfAnUnreadableMessage_IsMalformed(string method, string parameters)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        RequestContext request = guard.Request(method, parameters);
        request.Fault = "the fault";
        AssertDenial((await guard.EvaluateAsync(request)).Denial, GuardDenialCodes.ArgumentsMalformed, GuardStages.Methods, "the fault");
    }

    [Test]
    public async Task Request_OfAnotherGuard_IsNone()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        IMcpHostPolicy policy = guard.Pipeline;
        Assert.That(async () => await policy.EvaluateAsync(null!), Throws.ArgumentNullException);
        Assert.That(async () => await policy.EvaluateAsync(new ResultContext(guard.Request(), default, false)), Throws.ArgumentException.With.Message.Contains("CreateRequest"));
        Assert.That(async () => await policy.EvaluateAsync(guard.Request(), new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
    }

    // ---- slots, budgets, records ----------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Call_NoSlotLeft_IsDeniedAndTheNextAfterTheEndIsNot()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(server => server.Allow("all", "echo").With("maxConcurrentCalls", "1").With("maxQueuedCalls", "0"));
        Evaluation first = await guard.EvaluateAsync();
        Assert.That((first.IsAllowed, guard.Running), Is.EqualTo((true, 1)));
        AssertDenial((await guard.EvaluateAsync()).Denial, GuardDenialCodes.TooManyCalls, "concurrency", "every slot of the server or of the caller is taken, and so is the queue");
        await first.CompleteAsync(Text("x"));
        Assert.That(guard.Running, Is.Zero);
        Assert.That((await guard.EvaluateAsync()).IsAllowed, Is.True);
    }

    [Test]
    public async Task OtherRequests_TakeNoSlot()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(server => server.Allow("r", rule => rule.With("resources", """["notes://*"]""")));
        Evaluation evaluation = await guard.EvaluateAsync(guard.Request("resources/read", """{"uri":"notes://a"}"""));
        Assert.That((evaluation.IsAllowed, evaluation.Lease, guard.Running), Is.EqualTo((true, (object?)null, 0)), evaluation.Denial?.Reason);
    }

    [TestCase(2, "budget-spent", "a parallel call spent the rest of the budget")]
    [TestCase(-1, "guard-fault", "the budget store failed (IOException)")]
    [TestCase(-2, "guard-fault", "the budget store failed (OperationCanceledException)")]
    [TestCase(1, null, null)]
    public async Task Call_CountedWhenItLeaves_IsDeniedWhereTheBudgetIsSpentMeanwhile(long sum, string? code, string? reason)
    {
        var store = new Budgets { Sum = sum };
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync(server => server.Allow("all", "echo").With("budgets", """{"calls":1}"""), builder => builder.UseBudgetStore(_ => store));
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That(evaluation.IsAllowed, Is.EqualTo(code is null), evaluation.Denial?.Reason);
        Assert.That(guard.Running, Is.EqualTo(code is null ? 1 : 0), "a denied call holds no slot");
        if (code is not null)
        {
            AssertDenial(evaluation.Denial, code, GuardStages.Budgets, reason!);
        }
    }

    [Test]
    public async Task Call_CallerCancelsWhileTheIntentIsWritten_DoesNotLeaveAndIsOnRecord()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        using var cancel = new CancellationTokenSource();
        guard.Guard.Audit.Before = async (record, ct) =>
        {
            if (record.Kind == AuditKind.Intent)
            {
                await cancel.CancelAsync();
                ct.ThrowIfCancellationRequested();
            }
        };
        Assert.That(async () => await guard.EvaluateAsync(ct: cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        await Eventually.True(() => guard.Guard.Audit.OfKind(AuditKind.Denial).Count == 1);
        AuditRecord record = guard.Guard.Audit.OfKind(AuditKind.Denial).Single();
        Assert.That((record.Code, record.Stage, record.Reason), Is.EqualTo((GuardDenialCodes.Timeout, "call", "the caller cancelled before the call left")));
        Assert.That(guard.Running, Is.Zero);
    }

    [Test]
    public async Task Call_IntentCannotBeWritten_IsDeniedWithoutWordsOfTheSink([Values] bool cancelled)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Guard.Audit.Before = (record, _) => record.Kind == AuditKind.Intent ? throw (cancelled ? new OperationCanceledException("secret") : new IOException("secret")) : default;
        Evaluation evaluation = await guard.EvaluateAsync();
        AssertDenial(evaluation.Denial, GuardDenialCodes.AuditUnavailable, "audit", "the intent could not be recorded (AuditUnavailableException)");
        Assert.That(guard.Running, Is.Zero);
    }

    // ---- results ----------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Result_Replaced_LaterStagesSeeTheNewValue()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Result, GuardStages.ResultLimit, Replace("""{"content":[{"type":"text","text":"b"}]}"""));
        guard.Put(guard.Stages.Result, GuardStages.Redaction, Replace("""{"content":[{"type":"text","text":"c"}]}"""));
        List<string> later = guard.Put(guard.Stages.Result, GuardStages.ResultSanitizing, Continue);
        var result = new ResultContext(guard.Request(), Text("a"), false);
        Assert.That(await guard.Pipeline.JudgeResultAsync(result, default), Is.Null);
        Assert.That(later.Single(), Does.Contain("\"b\""));
        Assert.That(result.Current.GetRawText(), Does.Contain("\"c\""));
        Assert.That(result.Changes, Is.EqualTo(new[] { "result-limit:changed", "redaction:changed" }));
    }

    [Test]
    public async Task Result_AskedAboutBeforeThePersonIs_IsForThePerson()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Result, GuardStages.ResultSanitizing, Ask);
        guard.Put(guard.Stages.Result, GuardStages.Redaction, GuardDecision.AskConsent("more", "another"));
        guard.Put(guard.Stages.Result, GuardStages.ResultConsent, Continue);
        var result = new ResultContext(guard.Request(), Text("a"), false);
        Assert.That(await guard.Pipeline.JudgeResultAsync(result, default), Is.Null);
        Assert.That(result.AskReasons, Is.EqualTo((GuardAskReason[])[new(GuardStages.ResultSanitizing, "why", "the reason"), new(GuardStages.Redaction, "more", "another")]));
    }

    [TestCase(GuardStages.ResultConsent)]
    [TestCase(GuardStages.ResultFraming)]
    public async Task Result_AskedAboutAtOrAfterThePersonsAnswer_IsDenied(string stage)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Result, stage, Ask);
        AssertDenial(
            await guard.Pipeline.JudgeResultAsync(new ResultContext(guard.Request(), Text("a"), false), default),
            GuardDenialCodes.GuardFault,
            stage,
            "the decision AskConsent has no place here: the stage that asks about results has asked");
    }

    [Test]
    public async Task Result_Denied_IsWhatTheStageSaidAndEndsIt()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Put(guard.Stages.Result, GuardStages.ResultSanitizing, GuardDecision.Deny("acme-no", "the reason"));
        List<string> later = guard.Put(guard.Stages.Result, GuardStages.ResultFraming, Continue);
        AssertDenial(await guard.Pipeline.JudgeResultAsync(new ResultContext(guard.Request(), Text("a"), false), default), "acme-no", GuardStages.ResultSanitizing, "the reason");
        Assert.That(later, Is.Empty);
    }

    // ---- catalogues, notifications, connections -------------------------------------------------------------------------------------------

    [Test]
    public async Task Catalog_Decisions_ReplaceOrDeny()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        string stage = guard.Stages.Catalog[0].Name;
        guard.Put(guard.Stages.Catalog, stage, Replace("""{"tools":[]}"""), Ask, GuardDecision.Deny("acme-no", "the reason"), Continue);
        var catalog = new CatalogContext(guard.Request("tools/list", "{}"), JsonElement.Parse("""{"tools":[1]}"""));
        Assert.That(await guard.Pipeline.JudgeCatalogAsync(catalog, default), Is.Null);
        Assert.That((catalog.Current.GetRawText(), catalog.Changes!.Single()), Is.EqualTo(("""{"tools":[]}""", $"{stage}:changed")));
        AssertDenial(await guard.Pipeline.JudgeCatalogAsync(catalog, default), GuardDenialCodes.GuardFault, stage, "a catalogue cannot be asked about");
        AssertDenial(await guard.Pipeline.JudgeCatalogAsync(catalog, default), "acme-no", stage, "the reason");
        Assert.That(await guard.Pipeline.JudgeCatalogAsync(catalog, default), Is.Null);
    }

    [Test]
    public async Task Notification_Decisions_ReplaceOrDeny()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        string stage = guard.Stages.Notification[0].Name;
        guard.Put(guard.Stages.Notification, stage, Replace("""{"a":2}"""), Ask, GuardDecision.Deny("acme-no", "the reason"), Continue);
        var notification = new NotificationContext(guard.Connection.State, ScriptedPipeline.Ada, "d", "notifications/message", JsonElement.Parse("""{"a":1}"""), true);
        Assert.That(await guard.Pipeline.JudgeNotificationAsync(notification, default), Is.Null);
        Assert.That(notification.Current.GetRawText(), Is.EqualTo("""{"a":2}"""));
        AssertDenial(await guard.Pipeline.JudgeNotificationAsync(notification, default), GuardDenialCodes.GuardFault, stage, "a notification cannot be asked about");
        AssertDenial(await guard.Pipeline.JudgeNotificationAsync(notification, default), "acme-no", stage, "the reason");
        Assert.That(await guard.Pipeline.JudgeNotificationAsync(notification, default), Is.Null);
    }

    [Test]
    public async Task Connection_Decisions_AdmitOrRefuse()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        string stage = guard.Stages.Connection[0].Name;
        guard.Put(guard.Stages.Connection, stage, Replace("{}"), Ask, GuardDecision.Deny("acme-no", "the reason"), Continue);
        var connection = new ConnectionContext(guard.Connection.State, ScriptedPipeline.Ada, "d");
        AssertDenial(await guard.Pipeline.JudgeConnectionAsync(connection, default), GuardDenialCodes.GuardFault, stage, "the decision Replace has no place here: a connection is admitted or refused");
        AssertDenial(await guard.Pipeline.JudgeConnectionAsync(connection, default), GuardDenialCodes.GuardFault, stage, "the decision AskConsent has no place here: a connection is admitted or refused");
        AssertDenial(await guard.Pipeline.JudgeConnectionAsync(connection, default), "acme-no", stage, "the reason");
        Assert.That(await guard.Pipeline.JudgeConnectionAsync(connection, default), Is.Null);
    }

    // ---- requests of the server -----------------------------------------------------------------------------------------------------------

    [TestCase(Changed, 2)]
    [TestCase(Called, 1)]
    public async Task ServerRequest_Replaced_IsJudgedAgainAndChargedOnce(string replacement, int runs)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        List<string> first = Script(guard, GuardStages.ServerRequests, Continue);
        Script(guard, "server-request-text", Replace(replacement));
        List<string> rate = Script(guard, GuardStages.ServerRequestRate, Continue);
        Script(guard, GuardStages.ServerRequestConsent, Continue);
        Script(guard, GuardStages.ServerRequestOrigin, Replace("""{"last":1}"""));
        ServerRequestContext asked = Asked(guard);
        Assert.That(await guard.Pipeline.JudgeServerRequestAsync(asked, default), Is.Null);
        Assert.That((first.Count, rate.Count), Is.EqualTo((runs, 1)));
        Assert.That(first[^1], Is.EqualTo(replacement));
        Assert.That(asked.Current.GetRawText(), Is.EqualTo("""{"last":1}"""), "the guard's own heading is its last word");
    }

    [Test]
    public async Task ServerRequest_ThatDoesNotSettle_IsDenied()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        Script(guard, GuardStages.ServerRequests, Continue);
        Script(guard, "server-request-text", Replace(Changed), Replace("""{"again":1}"""));
        Script(guard, GuardStages.ServerRequestRate, Continue);
        List<string> consent = Script(guard, GuardStages.ServerRequestConsent, Continue);
        AssertDenial(await guard.Pipeline.JudgeServerRequestAsync(Asked(guard), default), GuardDenialCodes.GuardFault, "server-request-text", "the request does not settle");
        Assert.That(consent, Is.Empty, "nobody is asked about it");
    }

    [Test]
    public async Task ServerRequest_ChangedIntoWhatAnEarlierStageDenies_IsDenied()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        Script(guard, GuardStages.ServerRequests, Continue, GuardDecision.Deny("acme-no", "not so"));
        Script(guard, "server-request-text", Replace(Changed));
        AssertDenial(await guard.Pipeline.JudgeServerRequestAsync(Asked(guard), default), "acme-no", GuardStages.ServerRequests, "not so");
    }

    [Test]
    public async Task ServerRequest_ReasonFoundOnTheSecondLook_IsForThePerson()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        Script(guard, GuardStages.ServerRequests, Continue, Ask);
        Script(guard, "server-request-text", Replace(Changed));
        Script(guard, GuardStages.ServerRequestConsent, Continue);
        ServerRequestContext asked = Asked(guard);
        Assert.That(await guard.Pipeline.JudgeServerRequestAsync(asked, default), Is.Null);
        Assert.That(asked.AskReasons, Is.EqualTo((GuardAskReason[])[new(GuardStages.ServerRequests, "why", "the reason")]));
    }

    private static IEnumerable<TestCaseData> AfterTheWait()
    {
        yield return new TestCaseData(Continue, null, null).SetArgDisplayNames("continue");
        yield return new TestCaseData(Ask, null, null).SetArgDisplayNames("the same reason");
        yield return new TestCaseData(Replace(Called), null, null).SetArgDisplayNames("replace by the same");
        yield return new TestCaseData(GuardDecision.AskConsent("new", "another"), GuardDenialCodes.ConsentDenied, "a reason to ask appeared after the person had answered").SetArgDisplayNames("another reason");
        yield return new TestCaseData(GuardDecision.Deny("acme-no", "not so"), "acme-no", "not so").SetArgDisplayNames("deny");
        yield return new TestCaseData(Replace(Changed), GuardDenialCodes.GuardFault, "the request does not settle").SetArgDisplayNames("replace");
    }

    [TestCaseSource(nameof(AfterTheWait))]
    public async Task ServerRequest_AfterThePersonsAnswer_IsJudgedAgain(GuardDecision second, string? code, string? reason)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        Script(guard, GuardStages.ServerRequests, Ask, second);
        List<string> rate = Script(guard, GuardStages.ServerRequestRate, Continue);
        guard.Put(guard.Stages.ServerRequest, GuardStages.ServerRequestConsent, (context, _) =>
        {
            context.WasHeld = true;
            return Continue;
        });
        GuardDenial? denial = await guard.Pipeline.JudgeServerRequestAsync(Asked(guard), default);
        Assert.That(rate, Has.Count.EqualTo(1));
        if (code is null)
        {
            Assert.That(denial, Is.Null, denial?.Reason);
        }
        else
        {
            AssertDenial(denial, code, code == GuardDenialCodes.ConsentDenied ? GuardStages.ServerRequestConsent : GuardStages.ServerRequests, reason!);
        }
    }

    [Test]
    public async Task ServerRequest_ConsentStageAsksOrReplaces_IsDenied([Values] bool asks)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        Script(guard, GuardStages.ServerRequests, Continue);
        Script(guard, GuardStages.ServerRequestConsent, asks ? Ask : Replace(Changed));
        AssertDenial(await guard.Pipeline.JudgeServerRequestAsync(Asked(guard), default), GuardDenialCodes.GuardFault, GuardStages.ServerRequestConsent, "this stage may not ask or replace here");
    }

    /// <summary>A request that no stage of the guard has an opinion about: those that a test does not script let it pass.</summary>
    private static ServerRequestContext Asked(ScriptedPipeline guard)
    {
        foreach (StageSlot<ServerRequestContext> slot in guard.Stages.ServerRequest)
        {
            if (slot.Stage.GetType().Assembly == typeof(GuardPipeline).Assembly)
            {
                Script(guard, slot.Name, Continue);
            }
        }

        return new ServerRequestContext(guard.Connection.State, guard.Request(), ScriptedPipeline.Ada, "d", "elicitation/create", JsonElement.Parse(Called));
    }

    private static List<string> Script(ScriptedPipeline guard, string stage, params GuardDecision[] decisions) => guard.Put(guard.Stages.ServerRequest, stage, decisions);

    private static GuardDecision Replace(string payload) => GuardDecision.Replace(JsonElement.Parse(payload), "changed", "a test");

    private static JsonElement Text(string text) => JsonElement.Parse($$"""{"content":[{"type":"text","text":"{{text}}"}]}""");

    private static void AssertDenial(GuardDenial? denial, string code, string stage, string reason)
    {
        Assert.That(denial, Is.Not.Null);
        Assert.That((denial!.Code, denial.Stage), Is.EqualTo((code, stage)), denial.Reason);
        Assert.That(denial.Reason, Does.Contain(reason));
    }

    /// <summary>A store that says nothing is spent while it is asked, and so much when a call is counted: less than nothing is a fault.</summary>
    private sealed class Budgets : IBudgetStore
    {
        public long Sum { get; init; }

        public ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct) =>
            amount == 0 || key.BudgetId != "session" ? new(0L)
            : Sum == -1 ? throw new IOException("secret")
            : Sum == -2 ? throw new OperationCanceledException("secret")
            : new(Sum);
    }
}
