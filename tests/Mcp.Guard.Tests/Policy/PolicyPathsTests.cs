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
            Assert.That(error.Fix, Is.EqualTo("Create it, correct the path, or write it absolutely"));
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
    public void Follow_ChainOfLinks_NamesEveryPlaceAndLink()
    {
        Link("toState", "state");
        Link("hop", "toState/");
        PathTrail trail = PathTrail.Follow(At("hop/audit/x") + "/");
        Assert.That(trail.Places, Is.EqualTo(new[] { At("hop/audit/x"), At("toState/audit/x"), At("state/audit/x") }));
        Assert.That(trail.Links, Is.EqualTo(new[] { At("hop"), At("toState") }));
        Assert.That(PathTrail.Follow(At("hop")).Places, Is.EqualTo(new[] { At("hop"), At("toState"), At("state") }));
        Assert.That(PathTrail.Follow("/").Places, Is.EqualTo(new[] { "/" }));
    }

    [Test]
    public void Follow_MoreLinksThanTheSystemFollows_Ends()
    {
        for (int i = 0; i < 45; i++)
        {
            Link($"l{i}", $"l{i + 1}");
        }

        PathTrail trail = PathTrail.Follow(At("l0"));
        Assert.That((trail.Links.Count, trail.Places.Count, trail.Places[^1]), Is.EqualTo((40, 41, At("l40"))));
    }

    [TestCase("/a/b", "/a/b", true)]
    [TestCase("/a/b/c", "/a/b", true)]
    [TestCase("/a/bc", "/a/b", false)]
    [TestCase("/a", "/a/b", false)]
    [TestCase("/a", "/", true)]
    [TestCase("/A/b", "/a", false)]
    [Platform("Linux")]
    public void IsSameOrBelow_Paths_AreComparedByWholeSegments(string path, string folder, bool expected) => Assert.That(PathTrail.IsSameOrBelow(path, folder), Is.EqualTo(expected));

    [Test]
    [Platform("Linux")]
    public void IsSecondName_HardLinkToOneOfTheGuardsFiles_IsTold()
    {
        File.WriteAllText(At("config/mcp-guard.json"), "{}");
        File.WriteAllText(At("state/audit/a.log"), "record");
        File.WriteAllText(At("project/plain"), "x");
        File.WriteAllText(At("project/twice"), "x");
        HardLink("config/mcp-guard.json", "project/policy");
        HardLink("state/audit/a.log", "project/log");
        HardLink("project/twice", "project/twice2");
        ProtectedPaths own = PolicyTexts.Read("{}", At("config/mcp-guard.json"), Options()).Protected;
        Assert.Multiple(() =>
        {
            Assert.That(own.IsSecondName(At("project/policy")), Is.True);
            Assert.That(own.IsSecondName(At("project/log")), Is.True, "a file in a folder of the guard's");
            Assert.That(own.IsSecondName(At("project/plain")), Is.False);
            Assert.That(own.IsSecondName(At("project/twice")), Is.False, "two names, and neither is the guard's");
            Assert.That(own.IsSecondName(At("project/absent")), Is.False);
            Assert.That(own.IsSecondName(At("project")), Is.False, "a folder has no second name");
            Assert.That(new ProtectedPaths([]).IsSecondName(At("project/policy")), Is.False);
        });
        Assert.That(FileIdentity.TryRead(At("project/policy"), out FileIdentity one, out uint names), Is.True);
        Assert.That(FileIdentity.TryRead(At("config/mcp-guard.json"), out FileIdentity same, out _), Is.True);
        Assert.That(FileIdentity.TryRead(At("project/plain"), out FileIdentity other, out uint single), Is.True);
        Assert.That((names, single, one == same, one == other), Is.EqualTo((2u, 1u, true, false)));
        Assert.That(FileIdentity.TryRead(At("project"), out _, out _), Is.False);
        Assert.That(FileIdentity.TryRead("/" + new string('x', 300) + "/" + new string('y', 5_000), out _, out _), Is.False);
    }

    [Test]
    [Platform("Linux")]
    public void IsSecondName_MoreFilesThanAreCompared_IsAssumed()
    {
        for (int i = 0; i < 10_001; i++)
        {
            File.Create(At($"state/{i}")).Dispose();
        }

        File.WriteAllText(At("project/twice"), "x");
        HardLink("project/twice", "project/twice2");
        Assert.That(new ProtectedPaths([new(At("state"), true, "state")]).IsSecondName(At("project/twice")), Is.True);
        File.Delete(At("state/0"));
        Assert.That(new ProtectedPaths([new(At("state"), true, "state")]).IsSecondName(At("project/twice")), Is.False);
    }

    [TestCase("~/project", "/stateDirectory", "'~' is not expanded", "Write the whole path")]
    [TestCase(" /srv/a", "/stateDirectory", "this path begins or ends with a blank", "Remove the blank")]
    [TestCase("/srv/a ", "/stateDirectory", "this path begins or ends with a blank", "Remove the blank")]
    [TestCase("data", "/stateDirectory", "the path 'data' is relative, and this policy is in no file", "Write an absolute path")]
    public void Read_PathThatIsNone_SaysWhatToCorrect(string path, string location, string message, string fix)
    {
        GuardPolicyError error = PolicyTexts.Errors($"{{\"stateDirectory\":\"{path}\"}}").Single();
        Assert.That((error.Location, error.Message, error.Fix), Is.EqualTo((location, message, fix)));
    }

    [TestCase("\"packageStore\":\"../elsewhere/store\"", "elsewhere/store", "the package store")]
    [TestCase("\"audit\":{\"checkpoints\":\"../elsewhere/checks.json\"}", "elsewhere/checks.json", "the audit's checkpoint file")]
    [TestCase("\"audit\":{\"directory\":\"../elsewhere/log\"}", "elsewhere/log", "the audit directory")]
    public void Read_RootHoldsAnotherOwnPlace_IsRefused(string member, string place, string purpose)
    {
        string json = "{" + member + ",\"servers\":{\"s\":{\"hostProvided\":true,\"roots\":[\"" + At("elsewhere") + "\"]}}}";
        GuardPolicyError error = PolicyTexts.Errors(json, At("config/mcp-guard.json"), Options()).Single();
        Assert.That(error.Message, Is.EqualTo($"the root '{At("elsewhere")}' would let the server reach {purpose}, '{At(place)}'"));
        Assert.That(error.Fix, Is.EqualTo("Move one of the two, so that neither holds the other"));
    }

    [Test]
    public void Read_FolderTwice_IsAnError()
    {
        string json = "{\"servers\":{\"s\":{\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"readable\":[\"" + At("project") + "\",\"../project\"]}}}}";
        GuardPolicyError error = PolicyTexts.Errors(json, At("config/mcp-guard.json"), Options()).Single();
        Assert.That((error.Location, error.Message, error.Fix), Is.EqualTo(("/servers/s/isolation/readable/1", $"'{At("project")}' is listed twice", "Keep one of the two")));
    }

    [Test]
    public void Read_WritableFolderThatIsNoPath_IsAnErrorAndNoCrash()
    {
        const string Json = """{"servers":{"s":{"command":"node","isolation":{"mode":"bubblewrap","writable":["/srv/\u0000"]}}}}""";
        Assert.That(PolicyTexts.Errors(Json).Select(error => error.Message), Is.EqualTo(new[] { "this holds a control character" }));
    }

    // The link is one of the guard's files; what lies behind it is only what the policy names there.
    [Test]
    public void Protected_LinkOnTheWayToThePolicy_CountsAsAFileAndNotAsAFolder()
    {
        Link("project/configLink", "../config");
        Directory.CreateDirectory(At("config/sub"));
        PolicySnapshot policy = PolicyTexts.Read("{}", At("project/configLink/mcp-guard.json"), Options());
        Assert.That(policy.Protected.IsProtected(At("project/configLink/other.json")), Is.True);
        Assert.That(policy.Protected.ExposedBy(At("project/configLink/sub")), Is.Null);
    }

    [TestCase("./server", true)]
    [TestCase("sub/server", true)]
    [TestCase("~server", false)]
    [TestCase("server", null)]
    public void Read_Command_IsAPathOnlyWhereItLooksLikeOne(string command, bool? isPath)
    {
        string json = $"{{\"servers\":{{\"s\":{{\"command\":\"{command}\"}}}}}}";
        if (isPath == false)
        {
            Assert.That(PolicyTexts.Errors(json, At("config/mcp-guard.json"), Options()).Single().Location, Is.EqualTo("/servers/s/command"));
            return;
        }

        Assert.That(
            ((CommandEndpoint)PolicyTexts.Read(json, At("config/mcp-guard.json"), Options()).Servers["s"].Endpoint).Command,
            Is.EqualTo(isPath == true ? Path.GetFullPath(command, At("config")) : command));
    }

    [Test]
    public void Read_BaseDirectoryOfTheHost_IsWhereRelativePathsStart()
    {
        PolicySnapshot policy = PolicyTexts.Read(PolicyTexts.Server("\"roots\":[\"project\"]"), options: Options() with { BaseDirectory = _folder });
        Assert.That(policy.Servers["s"].Roots.Single().Path, Is.EqualTo(At("project")));
    }

    [Test]
    public void Default_StateDirectory_FollowsTheSpecificationOfTheSystem()
    {
        string? before = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("XDG_STATE_HOME is read on Linux");
        }

        string fallback = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state/mcp-guard");
        try
        {
            Environment.SetEnvironmentVariable("XDG_STATE_HOME", At("xdg/../state"));
            Assert.That(GuardStateDirectory.Default(), Is.EqualTo(At("state/mcp-guard")));
            Environment.SetEnvironmentVariable("XDG_STATE_HOME", "relative");
            Assert.That(GuardStateDirectory.Default(), Is.EqualTo(fallback), "a relative value is invalid and ignored");
            Environment.SetEnvironmentVariable("XDG_STATE_HOME", string.Empty);
            Assert.That(GuardStateDirectory.Default(), Is.EqualTo(fallback));
        }
        finally
        {
            Environment.SetEnvironmentVariable("XDG_STATE_HOME", before);
        }
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

    private void HardLink(string target, string name)
    {
        using var link = System.Diagnostics.Process.Start("ln", [At(target), At(name)]);
        link.WaitForExit();
        Assert.That(link.ExitCode, Is.Zero);
    }

    private PolicyReadOptions Options() => new() { StateDirectory = At("state") };

    private PolicySnapshot ReadRoot(string root, string policyPath) =>
        PolicyTexts.Read(PolicyTexts.Server($"\"roots\":[\"{root}\"]"), At(policyPath), Options());
}
