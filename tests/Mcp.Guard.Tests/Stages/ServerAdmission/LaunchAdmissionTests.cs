using System.Security.Cryptography;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ServerAdmission;
using Mcp.Guard.Tests.Policy;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>One start of a server: what is admitted, what is refused, and what goes on record.</summary>
[TestFixture]
[Platform(Exclude = "Win")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class LaunchAdmissionTests
{
    private string _folder = string.Empty;
    private string _program = string.Empty;

    [SetUp]
    public void Make()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-launch-").FullName;
        _program = Path.Combine(_folder, "server");
        File.WriteAllText(_program, "program");
        File.SetUnixFileMode(_program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Admit_BareName_GivesTheFileItsDigestAndAFingerprint()
    {
        LaunchVerdict verdict = Admit("server", ["--x"]);
        Assert.That(verdict.IsAllowed, Is.True);
        Assert.That(verdict.Command!.StartPath, Is.EqualTo(_program));
        Assert.That(verdict.Command.Sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData("program"u8))));
        Assert.That(verdict.Fingerprint, Is.Not.EqualTo(Admit("server", ["--y"]).Fingerprint));
        File.SetUnixFileMode(_program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(_program, "changed");
        Assert.That(verdict.Fingerprint, Is.Not.EqualTo(Admit("server", ["--x"]).Fingerprint));
    }

    [Test]
    public void Admit_Link_StartsItsOwnPathAndJudgesTheFileBehindIt()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "python"), "server");
        LaunchVerdict verdict = Admit("python", []);
        Assert.That(verdict.Command!.StartPath, Is.EqualTo(Path.Combine(_folder, "python")));
        Assert.That(verdict.Command.FilePath, Is.EqualTo(_program));
    }

    [TestCase("npx-cli.js")]
    [TestCase("uvx")]
    public void Admit_LinkToARunner_IsSeen(string runner)
    {
        File.Move(_program, Path.Combine(_folder, runner));
        File.CreateSymbolicLink(Path.Combine(_folder, "harmless"), runner);
        Assert.That(Admit("harmless", ["server"]).Denial, Is.EqualTo(CommandDenial.RunnerNotPinned));
        Assert.That(Admit("harmless", ["server@1.2.3"]).IsAllowed, Is.True);
    }

    [Test]
    public void Admit_PinnedDigest_DecidesAtEveryStart()
    {
        string sha256 = Convert.ToHexStringLower(SHA256.HashData("program"u8));
        Assert.That(new LaunchAdmission(_folder, []).Admit("server", [], [], sha256).IsAllowed, Is.True);
        Assert.That(new LaunchAdmission(_folder, []).Admit("server", [], [], new string('0', 64)).Denial, Is.EqualTo(CommandDenial.DigestDiffers));
    }

    [TestCase("LD_PRELOAD", "x", CommandDenial.VariableForbidden)]
    [TestCase("Node_Options", "x", CommandDenial.VariableForbidden)]
    [TestCase("A=B", "x", CommandDenial.VariableName)]
    [TestCase("", "x", CommandDenial.VariableName)]
    [TestCase("A", "x\0y", CommandDenial.Nul)]
    public void Admit_Variable_IsRefused(string name, string value, object denial) =>
        Assert.That(new LaunchAdmission(_folder, []).Admit("server", [], [new(name, value)], null).Denial, Is.EqualTo(denial));

    [Test]
    public void Admit_ProgramWhereAServerCanWrite_IsRefused() =>
        Assert.That(new LaunchAdmission(_folder, [_folder]).Admit("server", [], [], null).Denial, Is.EqualTo(CommandDenial.InsideWorkspace));

    [Test]
    public void Admit_EnvThatSetsALoaderVariable_IsRefused() =>
        Assert.That(new LaunchAdmission("/usr/bin", []).Admit("/usr/bin/env", ["LD_PRELOAD=/tmp/x.so", "node"], [], null).Denial, Is.EqualTo(CommandDenial.VariableForbidden));

    [Test]
    public void Admit_ArgumentThatLooksLikeAVariable_IsTheProgramsOwn() => Assert.That(Admit("server", ["PATH=x"]).IsAllowed, Is.True);

    [Test]
    public void Admit_InAnImage_LooksNothingUpAndTakesAbsolutePathsOnly()
    {
        var admission = new LaunchAdmission(null, []);
        Assert.That(admission.Admit("/opt/none", [], [], null, inImage: true).Command!.StartPath, Is.EqualTo("/opt/none"));
        Assert.That(admission.Admit("none", [], [], null, inImage: true).IsAllowed, Is.False);
        Assert.That(admission.Admit("/opt/none", [], [], new string('0', 64), inImage: true).IsAllowed, Is.False);
        Assert.That(admission.Admit("/usr/bin/npx", ["server"], [], null, inImage: true).Denial, Is.EqualTo(CommandDenial.RunnerNotPinned));
    }

    [Test]
    public void Admit_Refused_SaysWhy() => Assert.Multiple(() =>
    {
        var admission = new LaunchAdmission(_folder, []);
        Assert.That(admission.Admit("absent", [], [], null).Reason, Is.EqualTo("the command was not found in the absolute folders of the host's search path"));
        Assert.That(
            admission.Admit("npx", ["server"], [], null).Reason,
            Is.EqualTo(CommandDenials.Describe(CommandDenial.RunnerNotPinned) + " (npx: its first argument has to be name@version with one exact version)"));
        Assert.That(
            admission.Admit("none", [], [], null, inImage: true).Reason,
            Is.EqualTo(CommandDenials.Describe(CommandDenial.NotFound) + " (in a container the command is an absolute path of the image, and the image's digest pins it)"));
        Assert.That(admission.Admit("", [], [], null, inImage: true).IsAllowed, Is.False);
        LaunchVerdict refused = admission.Admit("absent", [], [], null);
        Assert.That((refused.Command, refused.Fingerprint, refused.Denial), Is.EqualTo((null as ResolvedCommand, null as string, CommandDenial.NotFound)));
    });

    [Test]
    public void Admit_LinkToAnUnpinnedRunner_SaysWhichRunnerItIs()
    {
        File.Move(_program, Path.Combine(_folder, "uvx"));
        File.CreateSymbolicLink(Path.Combine(_folder, "harmless"), "uvx");
        Assert.That(Admit("harmless", ["server"]).Reason, Does.EndWith("(uvx: its first argument has to be name@version or --from, with one exact version)"));
    }

    [Test]
    public void Admit_SameLaunch_HasTheFingerprintOfItsParts()
    {
        LaunchVerdict verdict = new LaunchAdmission(_folder, []).Admit("server", ["--x"], [new("A", "1")], null);
        Assert.That(verdict.Fingerprint, Is.EqualTo(LaunchFingerprint.Compute(_program, ["--x"], [new("A", "1")], verdict.Command!.Sha256)));
        LaunchVerdict image = new LaunchAdmission(null, []).Admit("/opt/s", ["--x"], [new("A", "1")], null, inImage: true);
        Assert.That(image.Fingerprint, Is.EqualTo(LaunchFingerprint.Compute("/opt/s", ["--x"], [new("A", "1")], null)));
        Assert.That((image.Command!.Sha256, image.Command.FilePath), Is.EqualTo((string.Empty, "/opt/s")));
    }

    // A consent covers this digest: where it changes, people are asked again about servers that did not change.
    [Test]
    public void Compute_KnownLaunch_IsTheOneOfEarlierVersions() =>
        Assert.That(LaunchFingerprint.Compute("node", ["x", ""], [new("B", "2"), new("A", "1")], "00"), Is.EqualTo("3da14ba4a83f2715094fabde8583d94c13c5d4d39beafb45958753824e44ccbd"));

    [Test]
    public void Compute_LaunchWithoutADigest_IsTheOneOfEarlierVersions() =>
        Assert.That(LaunchFingerprint.Compute("node", ["x", ""], [new("B", "2"), new("A", "1")], null), Is.EqualTo("d052b17743447d5b866d56dbb9133b754f374a8dee847d8a97768b4359e78a80"));

    [Test]
    public void WritableBy_Servers_IsWhatTheirIsolationAndTheirRootsLetThemWrite()
    {
        PolicySnapshot policy = PolicyTexts.Read("""
            {"servers":{
              "a":{"command":"/opt/a","isolation":{"mode":"bubblewrap","writable":["/srv/a"],"readable":["/srv/r"]},"roots":[{"path":"/srv/b","access":"readWrite"},{"path":"/srv/c","access":"read"}]},
              "b":{"url":"https://b.example.net/mcp","roots":[{"path":"/srv/d","access":"readWrite"}]}}}
            """);
        Assert.That(LaunchAdmission.WritableBy(policy.Servers.Values), Is.EquivalentTo((string[])["/srv/a", "/srv/b", "/srv/d"]));
    }

    [Test]
    public void Default_Denies() => Assert.That(default(LaunchVerdict).IsAllowed, Is.False);

    private LaunchVerdict Admit(string command, string[] arguments) => new LaunchAdmission(_folder, []).Admit(command, arguments, [], null);
}
