using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Promise 6 of the design, and relative paths: with real folders and links.</summary>
[TestFixture]
internal sealed class PolicyPathsTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-policy-").FullName;
        foreach (string name in (string[])["config", "project/sub", "state/audit", "elsewhere"])
        {
            Directory.CreateDirectory(Path.Combine(_folder, name));
        }
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Read_RelativeRoot_StartsAtThePolicyFile()
    {
        PolicySnapshot policy = ReadRoot("../project", "config/mcp-guard.json");
        Assert.That(policy.Servers["s"].Roots.Single().Path, Is.EqualTo(At("project")));
    }

    [Test]
    public void Read_RelativeRootBelowThePolicyFile_IsPermitted()
    {
        Assert.That(ReadRoot("sub", "project/mcp-guard.json").Servers["s"].Roots.Single().Path, Is.EqualTo(At("project/sub")));
    }

    [Test]
    public void Read_RelativeRootThatDoesNotExist_IsAnError()
    {
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => ReadRoot("nowhere", "config/mcp-guard.json"))!.Errors.Single();
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Does.Contain("does not exist").And.Contain(At("config/nowhere")));
            Assert.That(error.Location, Is.EqualTo("/servers/s/roots/0"));
        });
    }

    [Test]
    public void Read_AbsoluteRootThatDoesNotExist_IsAWarning()
    {
        PolicySnapshot policy = ReadRoot(At("nowhere"), "config/mcp-guard.json");
        Assert.That(policy.Warnings.Single(), Does.Contain("/servers/s/roots/0").And.Contain("does not exist"));
    }

    [TestCase("config", "config/mcp-guard.json", "the policy file", TestName = "Read_RootIsThePolicysFolder_IsRefused")]
    [TestCase("", "config/mcp-guard.json", "the policy file", TestName = "Read_RootIsAboveThePolicy_IsRefused")]
    [TestCase("config/mcp-guard.json", "config/mcp-guard.json", "the policy file", TestName = "Read_RootIsThePolicy_IsRefused")]
    [TestCase("state", "config/mcp-guard.json", "the guard's state directory", TestName = "Read_RootIsTheStateFolder_IsRefused")]
    [TestCase("state/new/below", "config/mcp-guard.json", "the guard's state directory", TestName = "Read_RootIsBelowTheStateFolder_IsRefused")]
    [TestCase("state/audit", "config/mcp-guard.json", "the guard's state directory", TestName = "Read_RootIsTheAudit_IsRefused")]
    [TestCase("toState", "config/mcp-guard.json", "the guard's state directory", TestName = "Read_RootLeadsToTheStateByLink_IsRefused")]
    [TestCase("toParent/config", "config/mcp-guard.json", "the policy file", TestName = "Read_RootLeadsToThePolicyThroughALinkedParent_IsRefused")]
    [TestCase("chain", "config/mcp-guard.json", "the guard's state directory", TestName = "Read_RootLeadsToTheStateByAChain_IsRefused")]
    [TestCase("project", "project/policyLink.json", "the policy file", TestName = "Read_RootHoldsALinkToThePolicy_IsRefused")]
    [TestCase("config", "project/policyLink.json", "the policy file", TestName = "Read_RootHoldsWhereThePolicyLinkLeads_IsRefused")]
    [TestCase("project", "project/configLink/mcp-guard.json", "the policy file", TestName = "Read_RootHoldsALinkedFolderOnTheWayToThePolicy_IsRefused")]
    public void Read_RootExposesTheGuardsFiles(string root, string policyPath, string purpose)
    {
        Link("toState", "state");
        Link("toParent", ".");
        Link("hop", "toState");
        Link("chain", "hop");
        Link("project/policyLink.json", "../config/mcp-guard.json");
        Link("project/configLink", "../config");
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => ReadRoot(At(root), policyPath))!.Errors.Single();
        Assert.Multiple(() =>
        {
            Assert.That(error.Location, Is.EqualTo("/servers/s/roots/0"));
            Assert.That(error.Message, Does.Contain(purpose).And.Contain(At(root)), "the message names both");
            Assert.That(error.Message, Does.Contain(purpose == "the policy file" ? At(policyPath) : At("state")));
        });
    }

    [TestCase("project")]
    [TestCase("config/sub")]
    [TestCase("elsewhere")]
    [TestCase("stateless")]
    public void Read_RootBesideTheGuardsFiles_IsPermitted(string root)
    {
        Directory.CreateDirectory(At(root));
        Assert.That(ReadRoot(At(root), "config/mcp-guard.json").Servers, Has.Count.EqualTo(1));
    }

    [Test]
    public void Read_WritableMountExposesTheAudit_IsRefused()
    {
        string json = "{\"audit\":{\"directory\":\"" + At("elsewhere/audit") + "\"},\"servers\":{\"s\":{\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"writable\":[\""
            + At("elsewhere") + "\"]}}}}";
        GuardPolicyError error = PolicyTexts.Errors(json, At("config/mcp-guard.json"), Options()).Single();
        Assert.Multiple(() =>
        {
            Assert.That(error.Location, Is.EqualTo("/servers/s/isolation/writable/0"));
            Assert.That(error.Message, Does.Contain("writable mount").And.Contain("the audit directory").And.Contain(At("elsewhere/audit")));
        });
    }

    [Test]
    public void Read_RootExposesAPathThatTheHostAdded_IsRefused()
    {
        PolicyReadOptions options = Options() with { AlsoProtected = [new(At("elsewhere/key.pem"), false, "the signing key")] };
        string json = PolicyTexts.Server($"\"roots\":[\"{At("elsewhere")}\"]");
        Assert.That(PolicyTexts.Errors(json, At("config/mcp-guard.json"), options).Single().Message, Does.Contain("the signing key"));
    }

    [Test]
    public void Read_StateDirectoryOfTheDocument_IsProtectedAndHoldsTheAudit()
    {
        string json = "{\"stateDirectory\":\"../elsewhere\",\"servers\":{\"s\":{\"hostProvided\":true,\"roots\":[\"" + At("elsewhere/x") + "\"]}}}";
        Assert.That(PolicyTexts.Errors(json, At("config/mcp-guard.json"), Options()).Single().Message, Does.Contain(At("elsewhere")));
        PolicySnapshot policy = PolicyTexts.Read("""{"stateDirectory":"../elsewhere"}""", At("config/mcp-guard.json"), Options());
        Assert.That((policy.StateDirectory, policy.AuditDirectory), Is.EqualTo((At("elsewhere"), At("elsewhere/audit"))));
    }

    [TestCase("config/mcp-guard.json", true)]
    [TestCase("config", true)]
    [TestCase("config/", true)]
    [TestCase("state/pins.json", true)]
    [TestCase("state", true)]
    [TestCase("", true)]
    [TestCase("project/policyLink.json", true)]
    [TestCase("config/other.json", false)]
    [TestCase("config/mcp-guard.json.bak", false)]
    [TestCase("statement", false)]
    [TestCase("project/file", false)]
    public void IsProtected_Path_IsTrueForTheGuardsFilesTheirLinksAndWhatHoldsThem(string path, bool expected)
    {
        Link("project/policyLink.json", "../config/mcp-guard.json");
        PolicySnapshot policy = PolicyTexts.Read("{}", At("project/policyLink.json"), Options());
        string asked = path.EndsWith('/') ? At(path.TrimEnd('/')) + "/" : At(path);
        Assert.That(policy.Protected.IsProtected(asked), Is.EqualTo(expected));
    }

    [Test]
    public void Follow_LinkLoop_Ends()
    {
        Link("loopA", "loopB");
        Link("loopB", "loopA");
        PathTrail trail = PathTrail.Follow(At("loopA/x"));
        Assert.That(trail.Places, Has.Count.InRange(2, 41));
    }

    [Test]
    public void Default_StateDirectory_IsAbsoluteAndOwn()
    {
        string? state = GuardStateDirectory.Default();
        Assert.That(state, Is.Null.Or.EndsWith("mcp-guard"));
        Assert.That(state is null || Path.IsPathFullyQualified(state), Is.True);
    }

    private string At(string relative) => relative.Length == 0 ? _folder : Path.Combine(_folder, relative);

    private void Link(string name, string target)
    {
        try
        {
            File.CreateSymbolicLink(At(name), target);
        }
        catch (Exception e) when (OperatingSystem.IsWindows() && e is IOException or UnauthorizedAccessException)
        {
            Assert.Ignore("this Windows user may not make links");
        }
    }

    private PolicyReadOptions Options() => new() { StateDirectory = At("state") };

    private PolicySnapshot ReadRoot(string root, string policyPath) =>
        PolicyTexts.Read(PolicyTexts.Server($"\"roots\":[\"{root}\"]"), At(policyPath), Options());
}
