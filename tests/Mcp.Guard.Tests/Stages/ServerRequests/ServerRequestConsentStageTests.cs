using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ServerRequests;
using Mcp.Guard.Tests.Stages.Consent;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>When a server's request waits for a person, and for which: its own prompt, or one of the same caller that is open already.</summary>
[TestFixture]
internal sealed class ServerRequestConsentStageTests
{
    private const string Ask = """{"message":"?","requestedSchema":{"type":"object","properties":{"a":{"type":"string"}}}}""";
    private const string Sample = """{"messages":[]}""";

    [Test]
    public async Task Elicitation_NoPromptOpen_PassesUnheld()
    {
        await using var guard = await StartAsync();
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Ask);

        Assert.That((await Stage(guard, desk).JudgeAsync(asked)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That((asked.WasHeld, desk.Shown.Count), Is.EqualTo((false, 0)));
    }

    // What was judged before is judged again after the wait, which WasHeld says.
    [Test]
    public async Task Elicitation_PromptOfTheSameCallerOpen_WaitsUntilItIsAnswered()
    {
        await using var guard = await StartAsync();
        var answer = new TaskCompletionSource<ConsentAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = await OpenAsync(desk);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Ask);

        Task<GuardDecision> held = Stage(guard, desk).JudgeAsync(asked);
        Assert.That((held.IsCompleted, asked.WasHeld), Is.EqualTo((false, true)));
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.Single()));

        Assert.That((await held).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        await open;
    }

    [Test]
    public async Task Elicitation_PromptOfAnotherUserOpen_PassesUnheld()
    {
        await using var guard = await StartAsync();
        var answer = new TaskCompletionSource<ConsentAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = await OpenAsync(desk);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Ask, new GuardCaller("bob", "s2"));

        Assert.That((await Stage(guard, desk).JudgeAsync(asked)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That(asked.WasHeld, Is.False);
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.Single()));
        await open;
    }

    [Test]
    public async Task Elicitation_PromptThatStaysOpen_IsRefusedAtTheConsentTimeout()
    {
        await using var guard = await StartAsync();
        var desk = new ConsentDesk(async (_, ct) =>
        {
            await Task.Delay(System.Threading.Timeout.Infinite, ct);
            throw new InvalidOperationException();
        });
        using var end = new CancellationTokenSource();
        Task<ConsentVerdict> open = await OpenAsync(desk, end.Token);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Ask);
        var time = new FakeTimeProvider();
        Task<GuardDecision> held = new ServerRequestConsentStage(desk.Service, guard.Host.Runtime.Halts, time).JudgeAsync(asked);

        time.Advance(asked.Connection.Policy.Defaults.ConsentTimeout - TimeSpan.FromTicks(1));
        Assert.That(held.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromTicks(1));

        GuardDecision decision = await held;
        Assert.That((decision.Kind, decision.Code, decision.Reason), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ServerRequestRefused, "a consent of the same caller stayed open")));
        await end.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => open);
    }

    [TestCase("test", "echo", null, true)]
    [TestCase(null, null, "ada", true)]
    [TestCase("test", "other", null, false)]
    [TestCase(null, null, "bob", false)]
    public async Task Elicitation_StopWhileItWaits_Denies(string? server, string? tool, string? user, bool denies)
    {
        await using var guard = await StartAsync();
        var answer = new TaskCompletionSource<ConsentAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = await OpenAsync(desk);
        Task<GuardDecision> held = Stage(guard, desk).JudgeAsync(AskedContext.Of(guard, AskedContext.Elicitation, Ask));

        await guard.Guard.HaltAsync(new HaltScope(server, tool, user), "enough");
        if (!denies)
        {
            answer.SetResult(ConsentAnswer.Deny(desk.Shown.Single()));
        }

        GuardDecision decision = await held;
        Assert.That(
            (decision.Kind, decision.Code, decision.Reason),
            Is.EqualTo(denies ? (GuardDecisionKind.Deny, GuardDenialCodes.Halted, "a stop was set while the request waited") : (GuardDecisionKind.Continue, string.Empty, string.Empty)));
        answer.TrySetResult(ConsentAnswer.Deny(desk.Shown.Single()));
        await open;
    }

    // A caller who gives up is told so, and not that somebody stopped the server, also where both happen.
    [TestCase(false)]
    [TestCase(true)]
    public async Task Elicitation_CancelledWhileItWaits_IsCancelled(bool isHaltedToo)
    {
        await using var guard = await StartAsync();
        var answer = new TaskCompletionSource<ConsentAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = await OpenAsync(desk);
        using var cancel = new CancellationTokenSource();
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Elicitation, Ask);
        if (isHaltedToo)
        {
            await guard.Guard.HaltAsync(new HaltScope("test", null, null), "enough");
            await cancel.CancelAsync();
        }

        Task<GuardDecision> held = Stage(guard, desk).EvaluateAsync(asked, cancel.Token).AsTask();
        await cancel.CancelAsync();

        await Assert.CatchAsync<OperationCanceledException>(() => held);
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.Single()));
        await open;
    }

    [TestCase(true, 1)]
    [TestCase(false, 0)]
    public async Task Sampling_Confirm_AsksOncePerRequest(bool confirm, int prompts)
    {
        await using var guard = await StartAsync($"{{\"allow\":true,\"confirm\":{(confirm ? "true" : "false")}}}");
        var desk = new ConsentDesk(ConsentAnswer.AllowOnce);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Sampling, Sample);

        Assert.That((await Stage(guard, desk).JudgeAsync(asked)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That((desk.Shown.Count, asked.WasHeld), Is.EqualTo((prompts, confirm)));
        if (confirm)
        {
            Assert.That(asked.AskReasons!.Single(), Is.EqualTo(new GuardAskReason("server-request-consent", "sampling", "server 'test' wants the model of this host to answer it, during 'echo'")));
            Assert.That(desk.Shown.Single().Reasons, Has.One.EqualTo("server 'test' wants the model of this host to answer it, during 'echo'"));
        }
    }

    [TestCase(AskedContext.Sampling, Sample)]
    [TestCase(AskedContext.Elicitation, Ask)]
    public async Task Request_ThatAPersonDenies_IsDeniedWithTheConsentsCode(string method, string payload)
    {
        await using var guard = await StartAsync("""{"allow":true,"confirm":false}""");
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        ServerRequestContext asked = AskedContext.Of(guard, method, payload);
        asked.Ask("text", "instruction-like", "the request was flagged");

        GuardDecision decision = await Stage(guard, desk).JudgeAsync(asked);

        Assert.That((decision.Kind, decision.Code, desk.Shown.Count, asked.WasHeld), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.ConsentDenied, 1, true)));
    }

    // The model of the host is not what a person looks at: an open prompt holds up an elicitation only.
    [Test]
    public async Task Sampling_PromptOfTheSameCallerOpen_IsNotHeld()
    {
        await using var guard = await StartAsync("""{"allow":true,"confirm":false}""");
        var answer = new TaskCompletionSource<ConsentAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var desk = new ConsentDesk((_, ct) => new ValueTask<ConsentAnswer>(answer.Task.WaitAsync(ct)));
        Task<ConsentVerdict> open = await OpenAsync(desk);
        ServerRequestContext asked = AskedContext.Of(guard, AskedContext.Sampling, Sample);

        Task<GuardDecision> judged = Stage(guard, desk).JudgeAsync(asked);
        Assert.That((judged.IsCompleted, asked.WasHeld), Is.EqualTo((true, false)));
        Assert.That((await judged).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        answer.SetResult(ConsentAnswer.Deny(desk.Shown.Single()));
        await open;
    }

    private static async Task<GuardFixture> StartAsync(string sampling = """{"allow":true}""")
    {
        GuardFixture guard = AskedContext.Guard(sampling);
        await guard.Host.StartAsync(default);
        return guard;
    }

    private static ServerRequestConsentStage Stage(GuardFixture guard, ConsentDesk desk) => new(desk.Service, guard.Host.Runtime.Halts, desk.Time);

    /// <summary>A consent of ada that somebody has yet to answer.</summary>
    private static async Task<Task<ConsentVerdict>> OpenAsync(ConsentDesk desk, CancellationToken ct = default)
    {
        Task<ConsentVerdict> open = desk.Decide(new FakeSubject(), ct).AsTask();
        await Eventually.True(() => desk.Service.OpenPrompts == 1 && !desk.Shown.IsEmpty);
        return open;
    }
}
