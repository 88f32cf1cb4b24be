using System.Security.Cryptography;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

[TestFixture]
[Platform(Exclude = "Win")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class CommandResolverTests
{
    private string _folder = string.Empty;
    private string _safe = string.Empty;
    private string _open = string.Empty;
    private string _workspace = string.Empty;

    [SetUp]
    public void Build()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-commands-").FullName;
        _safe = Make("safe", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _open = Make("open", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        _workspace = Make("workspace", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        string Make(string name, UnixFileMode mode)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
            string file = Path.Combine(folder, "npx");
            File.WriteAllText(file, name);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            File.SetUnixFileMode(folder, mode);
            return folder;
        }
    }

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void TryResolve_BareName_IsFoundInAbsoluteFoldersOnlyAndHashed()
    {
        var resolver = new CommandResolver($".:relative:{_safe}", [_workspace]);
        Assert.That(resolver.TryResolve(Entry("npx"), out ResolvedCommand? resolved, out _), Is.True);
        Assert.That(resolved!.FilePath, Is.EqualTo(Path.Combine(_safe, "npx")));
        Assert.That(resolved.Sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData("safe"u8))));
    }

    [Test]
    public void TryResolve_WorkspacePlantsTheRunner_IsRefused()
    {
        // launch-002
        var resolver = new CommandResolver($"{_workspace}:{_safe}", [_workspace]);
        Assert.That(resolver.TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.InsideWorkspace));
        Assert.That(resolver.TryResolve(Entry("./npx"), out _, out denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.NotFound));
    }

    [Test]
    public void TryResolve_FolderThatOthersCanWrite_IsRefused()
    {
        // launch-003
        var resolver = new CommandResolver($"{_open}:{_safe}", []);
        Assert.That(resolver.TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.OthersCanWrite));
    }

    [Test]
    public void TryResolve_LinkIntoTheWorkspace_IsRefused()
    {
        File.CreateSymbolicLink(Path.Combine(_safe, "uvx"), Path.Combine(_workspace, "npx"));
        Assert.That(new CommandResolver(_safe, [_workspace]).TryResolve(Entry("uvx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.InsideWorkspace));
    }

    [Test]
    public void TryResolve_PinnedDigestDiffers_IsRefused()
    {
        var resolver = new CommandResolver(_safe, []);
        Assert.That(resolver.TryResolve(Entry("npx", new string('0', 64)), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.DigestDiffers));
    }

    [Test]
    public void TryResolve_FileThatCannotBeRun_IsRefused()
    {
        string file = Path.Combine(_safe, "data");
        File.WriteAllText(file, "x");
        File.SetUnixFileMode(file, UnixFileMode.UserRead);
        Assert.That(new CommandResolver(null, []).TryResolve(Entry(file), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.NotAFile));
    }

    [Test]
    public void TryResolve_AbsolutePath_IsTakenAsItIs()
    {
        string file = Path.Combine(_safe, "npx");
        Assert.That(new CommandResolver(null, []).TryResolve(Entry(file), out ResolvedCommand? resolved, out CommandDenial denial), Is.True);
        Assert.That((resolved!.FilePath, resolved.StartPath, resolved.LeadingArguments.Count, denial), Is.EqualTo((file, file, 0, default(CommandDenial))));
        Assert.That(new CommandResolver(null, []).TryResolve(Entry(file + "x"), out resolved, out denial), Is.False);
        Assert.That((resolved, denial), Is.EqualTo((null as ResolvedCommand, CommandDenial.NotFound)));
    }

    [TestCase("sub/npx")]
    [TestCase("sub\\npx")]
    [TestCase("C:npx")]
    [TestCase("")]
    public void TryResolve_NameWithAFolder_IsNotSearchedFor(string command)
    {
        Directory.CreateDirectory(Path.Combine(_safe, "sub"));
        string named = Path.Combine(_safe, command.Length == 0 ? "empty" : command);
        File.WriteAllText(named, "x");
        File.SetUnixFileMode(named, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry(command), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.NotFound));
    }

    [Test]
    public void TryResolve_SeveralFolders_TheFirstThatHasItIsTaken()
    {
        string other = Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName;
        Assert.That(new CommandResolver($"{other}::{_safe}:{_workspace}", []).TryResolve(Entry("npx"), out ResolvedCommand? resolved, out _), Is.True);
        Assert.That(resolved!.FilePath, Is.EqualTo(Path.Combine(_safe, "npx")));
    }

    [TestCase(UnixFileMode.UserExecute, true)]
    [TestCase(UnixFileMode.GroupExecute, true)]
    [TestCase(UnixFileMode.OtherExecute, true)]
    [TestCase(UnixFileMode.None, false)]
    public void TryResolve_AnyRightToRunIt_IsEnough(UnixFileMode execute, bool accepted)
    {
        string file = Path.Combine(_safe, "npx");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | execute);
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.EqualTo(accepted));
        Assert.That(denial, Is.EqualTo(accepted ? default : CommandDenial.NotAFile));
    }

    [Test]
    public void TryResolve_FileThatOthersCanWrite_IsRefused()
    {
        File.SetUnixFileMode(Path.Combine(_safe, "npx"), UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.OthersCanWrite));
    }

    [TestCase(true, true, false, Description = "others cannot rename what lies in a sticky folder, but put a file beside it")]
    [TestCase(false, true, true)]
    [TestCase(false, false, false)]
    public void TryResolve_StickyFolder_CountsOnlyWhereTheFileLiesInIt(bool direct, bool sticky, bool accepted)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "sticky")).FullName;
        string below = direct ? folder : Directory.CreateDirectory(Path.Combine(folder, "below")).FullName;
        File.Copy(Path.Combine(_safe, "npx"), Path.Combine(below, "npx"));
        File.SetUnixFileMode(below, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | (sticky ? UnixFileMode.StickyBit : UnixFileMode.None));
        Assert.That(new CommandResolver(below, []).TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.EqualTo(accepted));
        Assert.That(denial, Is.EqualTo(accepted ? default : CommandDenial.OthersCanWrite));
    }

    [Test]
    public void TryResolve_LinkThatOthersCanReplace_IsRefused()
    {
        File.CreateSymbolicLink(Path.Combine(_open, "uvx"), Path.Combine(_safe, "npx"));
        Assert.That(new CommandResolver(_open, []).TryResolve(Entry("uvx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.OthersCanWrite));
    }

    [Test]
    public void TryResolve_LinkInTheWorkspaceToAProgramOutside_IsRefused()
    {
        File.CreateSymbolicLink(Path.Combine(_workspace, "uvx"), Path.Combine(_safe, "npx"));
        Assert.That(new CommandResolver(_workspace, [_workspace]).TryResolve(Entry("uvx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.InsideWorkspace));
    }

    [Test]
    public void TryResolve_WorkspaceNamedByALink_IsTheSameWorkspace()
    {
        string link = Path.Combine(_folder, "toWorkspace");
        Directory.CreateSymbolicLink(link, _workspace);
        Assert.That(new CommandResolver(_workspace, [link]).TryResolve(Entry("npx"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.InsideWorkspace));
        Assert.That(new CommandResolver(_safe, ["relative", Path.Combine(_folder, "saf")]).TryResolve(Entry("npx"), out _, out _), Is.True);
    }

    [Test]
    public void TryResolve_LinkToABatchFile_IsRefused()
    {
        File.Copy(Path.Combine(_safe, "npx"), Path.Combine(_safe, "x.cmd"));
        File.CreateSymbolicLink(Path.Combine(_safe, "server"), Path.Combine(_safe, "x.cmd"));
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("server"), out _, out CommandDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(CommandDenial.NotAFile));
    }

    [Test]
    public void TryResolve_PinnedDigest_IsComparedWithoutCase() =>
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("npx", Convert.ToHexString(SHA256.HashData("safe"u8))), out _, out _), Is.True);

    [Test]
    public void Compute_AnyPartOfTheLaunchChanges_GivesAnotherFingerprint()
    {
        // launch-001
        string[] prints =
        [
            LaunchFingerprint.Compute("a", ["b", "c"], [], null),
            LaunchFingerprint.Compute("a", ["bc"], [], null),
            LaunchFingerprint.Compute("ab", ["c"], [], null),
            LaunchFingerprint.Compute("a", ["b", "c"], [KeyValuePair.Create("X", "1")], null),
            LaunchFingerprint.Compute("a", ["b", "c"], [KeyValuePair.Create("X", "2")], null),
            LaunchFingerprint.Compute("a", ["b", "c"], [], "00"),
            LaunchFingerprint.Compute("a", ["b", "\uD800"], [], null),
            LaunchFingerprint.Compute("a", ["b", "\uD801"], [], null),
        ];
        Assert.That(prints, Is.Unique);
        Assert.That(
            LaunchFingerprint.Compute("a", [], [KeyValuePair.Create("X", "1"), KeyValuePair.Create("Y", "2")], null),
            Is.EqualTo(LaunchFingerprint.Compute("a", [], [KeyValuePair.Create("Y", "2"), KeyValuePair.Create("X", "1")], null)));
    }

    [TestCase("a.cmd")]
    [TestCase("a.BAT")]
    [TestCase("a.cmd.")]
    [TestCase("a.bat ")]
    [TestCase("a.cmd::$DATA")]
    public void Check_ListedBatchFile_IsRefusedAllTheSame(string command)
    {
        var allowlist = new CommandAllowlist([new CommandEntry(command, [], [])]);
        Assert.That(allowlist.Check(command, [], [], PathFlavor.Windows).Denial, Is.EqualTo(CommandDenial.BatchFile));
    }

    [TestCase("LD_PRELOAD")]
    [TestCase("ld_audit")]
    [TestCase("https_proxy")]
    [TestCase("PYTHONPATH")]
    [TestCase("Npm_Config_Registry")]
    [TestCase("GIT_SSH_COMMAND")]
    [TestCase("CORECLR_PROFILER")]
    [TestCase("ENV")]
    public void IsForbidden_SteeringVariable_IsTrue(string name) => Assert.That(EnvironmentRules.IsForbidden(name), Is.True);

    [TestCase("GITHUB_TOKEN")]
    [TestCase("LOG_LEVEL")]
    [TestCase("DOTNET_ENVIRONMENT")]
    [TestCase("NODE_ENV")]
    [TestCase("HOME")]
    [TestCase("GIT_AUTHOR_NAME")]
    [TestCase("ENVIRONMENT")]
    [TestCase("DATABASE_URL")]
    public void IsForbidden_OrdinaryVariable_IsFalse(string name) => Assert.That(EnvironmentRules.IsForbidden(name), Is.False);

    [TestCase("pkg", "latest", false)]
    [TestCase("pkg", "^1.0.0", false)]
    [TestCase("pkg", "1.x", false)]
    [TestCase("pkg", "1", false)]
    [TestCase("../pkg", "1.0.0", false)]
    [TestCase("git+https://x", "1.0.0", false)]
    [TestCase("-pkg", "1.0.0", false)]
    [TestCase("@scope/pkg", "1.0.0-rc.1+b", true)]
    [TestCase("pkg", "2026.8.31", true)]
    public void TryPackage_NameAndVersion_AcceptsOnlyExactOnes(string name, string version, bool good) =>
        Assert.That(CommandArgument.TryPackage(name, version, out _, out _), Is.EqualTo(good));

    private static CommandEntry Entry(string command, string? sha256 = null) => new(command, [], [], sha256);
}
