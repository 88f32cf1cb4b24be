using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Tests.Pipeline;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>When a person is asked though no stage asked, and what becomes of the answer.</summary>
[TestFixture]
internal sealed class ConsentStageTests
{

    [TestCase("{}", "destructive", "the tool counts as destructive and no rule allows it")]
    [TestCase("""{"a":{"effect":"allow","tools":["echo"]}}""", "destructive", null)]
    public async Task Call_ThatNoRuleAllows_IsAskedAboutWhereItIsDestructive(string rules, string mode, string? reason)
    {
        await using ScriptedPipeline guard = await StartAsync(rules, mode);
        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        RequestContext request = guard.Request();
        Evaluation evaluation = await guard.EvaluateAsync(request);
        Assert.That(evaluation.IsAllowed, Is.True, evaluation.Denial?.Reason);
        Assert.That(guard.Guard.Consent.Requests.SelectMany(asked => asked.Reasons), reason is null ? Is.Empty : Is.EqualTo(new[] { reason }));
        Assert.That(request.AskReasons?.Select(asked => (asked.Stage, asked.Code)), reason is null ? Is.Null : Is.EqualTo(new[] { ("consent", "destructive") }));
        Assert.That((request.ConsentGiven, request.ConsentNote), Is.EqualTo((reason is not null, reason is null ? null : "allow-once")));
        Assert.That(request.ConsentedFingerprint, reason is null ? Is.Null : Is.EqualTo(request.Entry!.Definition.Fingerprint));
    }

    [TestCase("resources/read", """{"uri":"notes://a"}""")]
    [TestCase("prompts/get", """{"name":"p"}""")]
    [TestCase("tools/list", "{}")]
    public async Task OtherRequest_WithoutARule_IsNotAskedAbout(string method, string parameters)
    {
        await using ScriptedPipeline guard = await StartAsync("{}", "always");
        await guard.EvaluateAsync(guard.Request(method, parameters));
        Assert.That(guard.Guard.Consent.Requests, Is.Empty);
    }

    [Test]
    public async Task Call_PersonSaysNo_IsDenied()
    {
        await using ScriptedPipeline guard = await StartAsync("{}", "destructive");
        guard.Guard.Consent.Then(ConsentAnswer.Deny);
        Evaluation evaluation = await guard.EvaluateAsync();
        Assert.That((evaluation.Denial!.Code, evaluation.Denial.Stage, evaluation.Denial.Reason), Is.EqualTo((GuardDenialCodes.ConsentDenied, GuardStages.Consent, "a person said no")));
    }

    [Test]
    public async Task Call_CoveredByAGrant_GoesOnWithoutAPersonUnderItsId()
    {
        await using ScriptedPipeline guard = await StartAsync("{}", "destructive");
        guard.Guard.Consent.Then(request => ConsentAnswer.AllowTool(request));
        Assert.That((await guard.EvaluateAsync()).IsAllowed, Is.True);
        RequestContext second = guard.Request();
        Evaluation evaluation = await guard.EvaluateAsync(second);
        Assert.That(evaluation.IsAllowed, Is.True);
        Assert.That(guard.Guard.Consent.Requests, Has.Count.EqualTo(1));
        Assert.That((second.ConsentGiven, second.ConsentedFingerprint), Is.EqualTo((false, (string?)null)));
        Assert.That(second.ConsentNote, Does.Match("^[0-9a-f]{32}$"));
    }

    [Test]
    public async Task Call_StopWhileThePersonIsAsked_IsHaltedAndCallersCancellationPropagates([Values] bool halts)
    {
        await using ScriptedPipeline guard = await StartAsync("{}", "destructive");
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        guard.Guard.Consent.Then(async (_, ct) =>
        {
            open.SetResult();
            await Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, ct);
            return default!;
        });
        using var cancel = new CancellationTokenSource();
        Task<Evaluation> call = guard.EvaluateAsync(ct: cancel.Token);
        await open.Task.WaitAsync(TimeSpan.FromSeconds(60));
        if (halts)
        {
            await guard.Guard.Guard.HaltAsync(new HaltScope("test", "echo"), "enough");
            GuardDenial denial = (await call).Denial!;
            Assert.That((denial.Code, denial.Stage, denial.Reason), Is.EqualTo((GuardDenialCodes.Halted, GuardStages.Consent, "a stop was set while the person was asked")));
        }
        else
        {
            await cancel.CancelAsync();
            Assert.That(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        }
    }

    [Test]
    public async Task Call_OfAServerThatConfirmsEverything_IsAskedAboutThoughHarmless()
    {
        await using ScriptedPipeline guard = await StartAsync("{}", "always", trusted: true);
        await ListAsync(guard, """{"tools":[{"name":"echo","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true,"destructiveHint":false}}]}""");
        guard.Guard.Consent.Then(ConsentAnswer.AllowOnce);
        RequestContext request = guard.Request();
        await guard.EvaluateAsync(request);
        Assert.That(guard.Guard.Consent.Requests.Single().Reasons, Does.Contain("the policy confirms every call"));
        Assert.That(request.AskReasons!.Select(reason => reason.Code), Does.Contain("confirm-always"));
    }

    private static async Task ListAsync(ScriptedPipeline guard, string tools)
    {
        GuardEvaluation listing = await guard.Guard.Guard.Policy.EvaluateAsync(guard.Connection.CreateRequest("tools/list", "{}"u8));
        await listing.CompleteAsync(JsonElement.Parse(tools));
    }

    private static Task<ScriptedPipeline> StartAsync(string rules, string confirmation, bool trusted = false) => ScriptedPipeline.StartAsync(server => server
        .With("rules", rules).With("confirmation", $"\"{confirmation}\"").With("trusted", trusted ? "true" : "false"));
}
