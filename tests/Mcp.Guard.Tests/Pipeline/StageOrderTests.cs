using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>The order of the stages, and where those of a host stand in it.</summary>
[TestFixture]
internal sealed class StageOrderTests
{
    [Test]
    public async Task Build_StagesOfTheGuard_StandInTheOrderThatTheDocumentsPromise()
    {
        await using var guard = new GuardFixture(_ => { });
        StageLists lists = guard.Host.Runtime.Pipeline.Stages;
        Assert.Multiple(() =>
        {
            Assert.That(
                lists.Request.Select(slot => slot.Name),
                Is.EqualTo((string[])[GuardStages.KillSwitch, GuardStages.Methods, GuardStages.Caller, GuardStages.Rules, GuardStages.ToolPinning, GuardStages.Schema, GuardStages.Roots, GuardStages.Urls, GuardStages.Budgets, GuardStages.RateLimit, GuardStages.Consent]));
            Assert.That(lists.Result.Select(slot => slot.Name).TakeLast(5), Is.EqualTo((string[])[GuardStages.Media, GuardStages.ResultSanitizing, GuardStages.Redaction, GuardStages.ResultConsent, GuardStages.ResultFraming]));
            Assert.That(lists.Result[0].Name, Is.EqualTo(GuardStages.ResultLimit));
            Assert.That(lists.ServerRequest.Select(slot => slot.Name).TakeLast(3), Is.EqualTo((string[])[GuardStages.ServerRequestRate, GuardStages.ServerRequestConsent, GuardStages.ServerRequestOrigin]));
            Assert.That(lists.ServerRequest[0].Name, Is.EqualTo(GuardStages.ServerRequests));
        });
    }

    [TestCase(GuardStages.KillSwitch, null, 0)]
    [TestCase(GuardStages.Consent, null, 10)]
    [TestCase(GuardStages.Roots, null, 6)]
    [TestCase(null, GuardStages.KillSwitch, 1)]
    [TestCase(null, GuardStages.RateLimit, 10)]
    [TestCase(null, null, 10)]
    public async Task Build_StageOfAHost_StandsWhereItWasSaid(string? before, string? after, int at)
    {
        await using var guard = new GuardFixture(_ => { }, builder => builder.AddStage(new Acme("acme"), before, after));
        Assert.That(Array.FindIndex(guard.Host.Runtime.Pipeline.Stages.Request, slot => slot.Name == "acme"), Is.EqualTo(at));
    }

    // Without a place of its own a stage stands before the person's answer, in the order in which it was added.
    [Test]
    public async Task Build_SeveralStagesOfAHost_StandInTheirOrderBeforeTheAnswer()
    {
        await using var guard = new GuardFixture(_ => { }, builder => builder.AddStage(new Acme("one")).AddStage(new Acme("two")).AddStage(new EveryKind()));
        StageLists lists = guard.Host.Runtime.Pipeline.Stages;
        Assert.That(lists.Request.Select(slot => slot.Name).TakeLast(4), Is.EqualTo((string[])["one", "two", "every-kind", GuardStages.Consent]));
        Assert.That(lists.Connection[^1].Name, Is.EqualTo("every-kind"), "where nobody is asked, at the end");
        Assert.That(lists.Catalog[^1].Name, Is.EqualTo("every-kind"));
        Assert.That(lists.Notification[^1].Name, Is.EqualTo("every-kind"));
        Assert.That(lists.Result[^3].Name, Is.EqualTo("every-kind"));
        Assert.That(lists.ServerRequest[^3].Name, Is.EqualTo("every-kind"));
    }

    [TestCase(null, GuardStages.Consent, "GuardStages.Consent")]
    public void Build_StageBehindTheAnswer_IsRefusedWithTheFix(string? before, string? after, string fix) =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new Acme("acme"), before, after)),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("could neither ask nor replace").And.Message.Contains($"before: {fix}"));

    [TestCase(GuardStages.ResultFraming, null, "GuardStages.ResultConsent")]
    [TestCase(null, GuardStages.ServerRequestConsent, "GuardStages.ServerRequestConsent")]
    public void Build_StageOfEveryKindBehindAnAnswer_IsRefusedWithTheFixOfThatKind(string? before, string? after, string fix) =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new EveryKind(), before, after)),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains($"before: {fix}"));

    [TestCase("nowhere", null, "before 'nowhere'")]
    [TestCase(null, "nowhere", "after 'nowhere'")]
    [TestCase(GuardStages.ResultLimit, null, "before 'result-limit'")]
    public void Build_StageWithoutAPlace_IsRefusedWithTheNamesThatThereAre(string? before, string? after, string where) =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new Acme("acme"), before, after)),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains(where).And.Message.Contains("kill-switch, methods, caller"));

    [Test]
    public void Build_StageOfNoKind_IsRefused() =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new NoKind())),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("anywhere").And.Message.Contains("implement IGuardStage<GuardRequestContext>"));

    [TestCase("consent")]
    [TestCase("result-limit")]
    [TestCase("server-admission")]
    [TestCase("catalog")]
    [TestCase("server-requests")]
    [TestCase("server-notifications")]
    [TestCase("")]
    [TestCase(" ")]
    public void Build_StageWithANameThatIsTakenOrNone_IsRefused(string name) =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new Acme(name))),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains($"Two stages are named '{name}'"));

    [Test]
    public void Build_TwoStagesOfAHostWithOneName_AreRefused() =>
        Assert.That(
            () => new GuardFixture(_ => { }, builder => builder.AddStage(new Acme("acme")).AddStage(new Acme("acme"))),
            Throws.InstanceOf<McpGuardConfigurationException>().With.Message.Contains("Two stages are named 'acme'"));

    private sealed class Acme(string name) : IGuardStage<GuardRequestContext>
    {
        public string Name => name;

        public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct) => new(GuardDecision.Continue);
    }

    private sealed class EveryKind : IGuardStage<GuardContext>
    {
        public string Name => "every-kind";

        public ValueTask<GuardDecision> EvaluateAsync(GuardContext context, CancellationToken ct) => new(GuardDecision.Continue);
    }

    private sealed class NoKind : IGuardStage
    {
        public string Name => "no-kind";
    }
}
