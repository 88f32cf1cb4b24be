using System.Text.Json;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>Questions about a changed tool: what is offered, what an answer gives, and what becomes of one that cannot be kept.</summary>
[TestFixture]
internal sealed class ConsentChangeTests
{
    private static readonly ToolDifferences Change = new([new ToolChange("/description", "\"a\"", "\"b\"")], 0, false);

    [TestCase(false, 0, ConsentScopes.Once | ConsentScopes.Tool | ConsentScopes.Never)]
    [TestCase(true, 0, ConsentScopes.Once | ConsentScopes.Never)]
    [TestCase(false, 3, ConsentScopes.Once | ConsentScopes.Never)]
    public async Task Decide_ChangedTool_OffersNothingLastingForWhatIsNotShown(bool isCut, int omitted, ConsentScopes offered)
    {
        var desk = new ConsentDesk(ConsentAnswer.Deny);
        await desk.Decide(new FakeSubject() { Differences = new ToolDifferences(Change.Changes, omitted, isCut) });
        Assert.That(desk.Shown.Single().Offered, Is.EqualTo(offered));
        Assert.That(desk.Shown.Single().OmittedChanges, Is.EqualTo(omitted));
    }

    [Test]
    public async Task Decide_TheseArgumentsForAChangedTool_WasNotOfferedAndDenies()
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTheseArguments(request));
        Assert.That((await desk.Decide(new FakeSubject() { Differences = Change })).IsAllowed, Is.False);
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public async Task Decide_AgreementToAChange_GrantIsBoundToWhatHoldsFromThenOn()
    {
        string agreed = new('c', 64);
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request));
        Assert.That((await desk.Decide(new FakeSubject() { Differences = Change, OnAgreement = () => agreed })).IsAllowed, Is.True);
        ConsentGrant grant = (await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default)).Single();
        Assert.That(grant.Binding.Fingerprint, Is.EqualTo(agreed));
        Assert.That(desk.Records.Count(record => record.Decision == "allow-tool"), Is.EqualTo(1), "one record of one answer");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Decide_AgreementThatCannotBeKept_DeniesAndGrantsNothing(bool throws)
    {
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request));
        ConsentVerdict verdict = await desk.Decide(new FakeSubject() { Differences = Change, OnAgreement = () => throws ? throw new IOException("full") : null });
        Assert.That(verdict.Code, Is.EqualTo(GuardDenialCodes.ToolChanged));
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public async Task Decide_AgreementThatCannotBeRecorded_ChangesNoPinAndGrantsNothing()
    {
        bool pinned = false;
        var desk = new ConsentDesk(request => ConsentAnswer.AllowTool(request)) { FailRecordOf = "allow-tool" };
        ConsentVerdict verdict = await desk.Decide(new FakeSubject()
        {
            Differences = Change,
            OnAgreement = () =>
            {
                pinned = true;
                return new string('c', 64);
            },
        });
        Assert.That(verdict.Code, Is.EqualTo(GuardDenialCodes.AuditUnavailable));
        Assert.That(pinned, Is.False);
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [TestCase("allow-tool")]
    [TestCase("allow-these-arguments")]
    public async Task Decide_LastingAnswerThatCannotBeRecorded_IsNotRemembered(string decision)
    {
        var desk = new ConsentDesk(request => decision == "allow-tool" ? ConsentAnswer.AllowTool(request) : ConsentAnswer.AllowTheseArguments(request)) { FailRecordOf = decision };
        Assert.That((await desk.Decide(new FakeSubject())).Code, Is.EqualTo(GuardDenialCodes.AuditUnavailable));
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public async Task Decide_DefinitionChangedWhileThePersonRead_NothingIsRememberedOrAgreed()
    {
        bool agreed = false;
        FakeSubject subject = null!;
        subject = new FakeSubject()
        {
            Differences = Change,
            OnAgreement = () =>
            {
                agreed = true;
                return new string('c', 64);
            },
        };
        var desk = new ConsentDesk(request =>
        {
            subject.CurrentFingerprint = new string('d', 64);
            return ConsentAnswer.AllowTool(request);
        });
        Assert.That((await desk.Decide(subject)).Code, Is.EqualTo(GuardDenialCodes.ToolChanged));
        Assert.That(agreed, Is.False);
        Assert.That(await desk.Store.ListAsync("ada", desk.Time.GetUtcNow(), default), Is.Empty);
    }

    [Test]
    public void Differences_ChangeInTheMiddleOfALongText_IsShown()
    {
        string text = new('x', 5_000);
        ToolDifferences differences = ToolComparison.Differences($$"""{"name":"t","description":"{{text}}good{{text}}"}""", Parse($$"""{"name":"t","description":"{{text}}evil{{text}}"}"""));
        ToolChange change = differences.Changes.Single();
        Assert.That(change.Before, Does.Contain("good").And.Contain("(4,940 equal characters)"));
        Assert.That(change.After, Does.Contain("evil"));
        Assert.That(differences.IsCut, Is.False);
    }

    [Test]
    public void Differences_MoreThanAPersonCanRead_CountAsCut()
    {
        ToolDifferences differences = ToolComparison.Differences("""{"name":"t","description":"short"}""", Parse($$"""{"name":"t","description":"{{new string('y', 20_000)}}"}"""));
        Assert.That(differences.IsCut, Is.True);
    }

    [Test]
    public void Differences_SurrogatesAtTheEdge_AreNotSplit()
    {
        string face = char.ConvertFromUtf32(0x1F600);
        string other = char.ConvertFromUtf32(0x1F601);
        string padding = string.Concat(Enumerable.Repeat(face, 400));
        ToolChange change = ToolComparison.Differences($$"""{"d":"{{padding}}{{face}}{{padding}}"}""", Parse($$"""{"d":"{{padding}}{{other}}{{padding}}"}""")).Changes.Single();
        Assert.That(change.After, Does.Contain(other).And.Not.Contain("\\uD83D").And.Not.Contain("\\uDE"));
    }

    [Test]
    public void Differences_WithoutAnOldDefinition_ShowTheWholeNewOne()
    {
        ToolChange change = ToolComparison.Differences(null, Parse("""{"name":"t"}""")).Changes.Single();
        Assert.That(change.Location, Is.Empty);
        Assert.That(change.Before, Is.Null);
        Assert.That(change.After, Does.Contain("\"name\": \"t\""));
    }

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
