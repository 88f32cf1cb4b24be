using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class PolicyReaderTests
{
    [Test]
    public void Read_DocumentOfTheDesign_IsAcceptedAsItStands()
    {
        PolicySnapshot policy = PolicyTexts.Read(PolicyTexts.Design);
        ServerSettings files = policy.Servers["files"];
        Assert.Multiple(() =>
        {
            Assert.That(policy.Defaults, Is.EqualTo(PolicyDefaults.Recommended), "the design writes out the recommended defaults");
            Assert.That(policy.AuditDirectory, Is.EqualTo("/var/lib/acme/mcp-audit"));
            Assert.That(policy.Audit.RetentionDays, Is.EqualTo(30));
            Assert.That(policy.CanAsk, Is.True);
            Assert.That(files.Endpoint, Is.InstanceOf<PackageEndpoint>());
            Assert.That(files.Identity.Endpoint, Is.EqualTo("npm:@modelcontextprotocol/server-filesystem@2026.8.31 /srv/project"));
            Assert.That(files.Roots, Is.EqualTo(new[] { new GuardRoot("/srv/project") }));
            Assert.That(files.Isolation!.Mode, Is.EqualTo(IsolationMode.Bubblewrap));
            Assert.That(files.Isolation.Writable, Is.EqualTo(new[] { "/srv/project" }));
            Assert.That(files.Isolation.Network, Is.EqualTo(NetworkAccess.None));
            Assert.That(files.ForTool("read_text_file").Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.Allow));
            Assert.That(files.ForTool("write_file").Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.Ask));
            Assert.That(files.ForTool("move_file").IsDenied, Is.True);
            Assert.That(files.ForTool("edit_file").Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.None));
        });
    }
}
