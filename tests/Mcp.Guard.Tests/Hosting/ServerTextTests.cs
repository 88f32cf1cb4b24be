using Mcp.Guard.Hosting;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Text of a server in logs: cut before it is redacted, so that the work is bounded, and never so that half a secret shows.</summary>
[TestFixture]
internal sealed class ServerTextTests
{
    [Test]
    public void ForLog_HalfACredentialAtTheInnerCut_IsNotShown()
    {
        // What redaction shortens brings the cut at 4,096 into sight.
        string half = "ghp_" + "J44BUcHAolMavlSRMOXwGXYnNptsRZzMSjWF";
        string text = "password=" + string.Concat(Enumerable.Repeat("yz", 2037)) + " " + half;
        Assert.That(text.IndexOf(half, StringComparison.Ordinal), Is.LessThan(4096 - 8), "the cut goes through it");
        Assert.That(ServerText.ForLog(text), Does.Not.Contain("ghp_").And.EndsWith(" (cut)"));
    }

    [TestCase(2048, false)]
    [TestCase(2049, true)]
    [TestCase(4096, true)]
    [TestCase(5000, true)]
    public void ForLog_LongText_SaysThatItIsCut(int length, bool cut) =>
        Assert.That(ServerText.ForLog(new string('x', length)), Is.EqualTo(cut ? new string('x', 2048) + " (cut)" : new string('x', length)));
}
