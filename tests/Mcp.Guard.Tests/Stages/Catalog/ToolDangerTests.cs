using System.Text.Json;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Tests.Stages.Catalog;

[TestFixture]
internal sealed class ToolDangerTests
{
    [TestCase("""{}""", null, null, null, null)]
    [TestCase("""{"annotations":null}""", null, null, null, null)]
    [TestCase("""{"annotations":[true]}""", null, null, null, null)]
    [TestCase("""{"annotations":{"readOnlyHint":"true","destructiveHint":0,"idempotentHint":null,"openWorldHint":[]}}""", null, null, null, null)]
    [TestCase("""{"annotations":{"ReadOnlyHint":true}}""", null, null, null, null)]
    [TestCase("""{"annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false}}""", true, false, true, false)]
    [TestCase("null", null, null, null, null)]
    public void Read_Annotations_AreWhatWasSaid(string tool, bool? readOnly, bool? destructive, bool? idempotent, bool? openWorld)
    {
        using JsonDocument document = JsonDocument.Parse(tool);
        Assert.That(ToolHints.Read(document.RootElement), Is.EqualTo(new ToolHints(readOnly, destructive, idempotent, openWorld)));
    }

    [TestCase(null, null, false, null, true)]
    [TestCase(true, false, false, null, true, TestName = "Weigh_UntrustedHarmlessHints_StaysDestructive")]
    [TestCase(null, null, true, null, true)]
    [TestCase(true, null, true, null, false)]
    [TestCase(null, false, true, null, false)]
    [TestCase(false, null, true, null, true)]
    [TestCase(true, true, true, null, true, TestName = "Weigh_ContradictingHints_TakesTheDangerousReading")]
    [TestCase(null, null, false, false, false)]
    [TestCase(null, true, false, false, true, TestName = "Weigh_DestructiveHintAgainstThePolicy_Tightens")]
    [TestCase(true, false, true, true, true, TestName = "Weigh_PolicySaysDestructive_NoHintLoosens")]
    public void Weigh_HintsAndPolicy_Decide(bool? readOnly, bool? destructive, bool trusted, bool? policy, bool expect) =>
        Assert.That(ToolDanger.Weigh(new ToolHints(readOnly, destructive, null, null), trusted, policy).IsDestructive, Is.EqualTo(expect));

    [TestCase(null, true, true)]
    [TestCase(false, true, false)]
    [TestCase(false, false, true)]
    [TestCase(true, true, true)]
    public void Weigh_OpenWorld_IsAssumed(bool? hint, bool trusted, bool expect) =>
        Assert.That(ToolDanger.Weigh(new ToolHints(null, null, null, hint), trusted, null).IsOpenWorld, Is.EqualTo(expect));

    [Test]
    public void Default_IsDangerous()
    {
        Assert.That(default(ToolDanger).IsDestructive, Is.True);
        Assert.That(default(ToolDanger).IsOpenWorld, Is.True);
    }
}
