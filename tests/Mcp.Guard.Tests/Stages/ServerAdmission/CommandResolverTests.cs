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
    [TestCase("\\npx")]
    [TestCase(":npx")]
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
    public void TryResolve_FileThatCannotBeRead_IsRefused()
    {
        // Whoever holds it alone lets nobody read it, the owner of the machine neither.
        using var alone = new FileStream(Path.Combine(_safe, "npx"), FileMode.Open, FileAccess.Read, FileShare.None);
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("npx"), out ResolvedCommand? resolved, out CommandDenial denial), Is.False);
        Assert.That((resolved, denial), Is.EqualTo((null as ResolvedCommand, CommandDenial.NotAFile)));
    }

    [Test]
    public void TryResolve_NameOfAnotherSystem_IsNotSearchedFor()
    {
        File.Copy(Path.Combine(_safe, "npx"), Path.Combine(_safe, "tool.exe"));
        Assert.That(new CommandResolver(_safe, []).TryResolve(Entry("tool"), out _, out CommandDenial denial), Is.False);
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

    // Each of them loads code, or names who is trusted or asked: a name that leaves the list by mistake is noticed here.
    [TestCase("PATH PATHEXT COMSPEC SYSTEMROOT WINDIR BASH_ENV ENV ZDOTDIR IFS SHELLOPTS BASHOPTS PROMPT_COMMAND PS4 CDPATH SHELL")]
    [TestCase("GCONV_PATH LOCPATH NLSPATH GLIBC_TUNABLES HOSTALIASES RESOLV_HOST_CONF GETCONF_DIR LIBPATH SHLIB_PATH")]
    [TestCase("RES_OPTIONS LOCALDOMAIN MALLOC_CONF _RJEM_MALLOC_CONF LIBGL_DRIVERS_PATH LIBVA_DRIVERS_PATH TERMINFO TERMINFO_DIRS TERMCAP")]
    [TestCase("NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NODE_COMPILE_CACHE ELECTRON_RUN_AS_NODE TS_NODE_PROJECT")]
    [TestCase("NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS NODE_ICU_DATA NODE_USE_ENV_PROXY NODE_USE_SYSTEM_CA")]
    [TestCase("DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE DOTNET_ROOT DOTNET_HOST_PATH DOTNET_BUNDLE_EXTRACT_BASE_DIR")]
    [TestCase("DOTNET_GCPATH DOTNET_SYSTEM_GLOBALIZATION_APPLOCALICU DOTNET_CLI_HOME")]
    [TestCase("JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JDK_JAVAC_OPTIONS IBM_JAVA_OPTIONS OPENJ9_JAVA_OPTIONS JAVA_OPTS JAVA_HOME")]
    [TestCase("JVM_OPTS SBT_OPTS CATALINA_OPTS CLASSPATH MAVEN_OPTS GRADLE_OPTS")]
    [TestCase("GEM_HOME GEM_PATH PERLLIB PHPRC PHP_INI_SCAN_DIR TCLLIBPATH TCL_LIBRARY")]
    [TestCase("LUA_INIT LUA_PATH LUA_CPATH ERL_FLAGS ERL_AFLAGS R_PROFILE R_ENVIRON JULIA_LOAD_PATH MONO_PATH GODEBUG")]
    [TestCase("GIT_EXEC_PATH GIT_ASKPASS GIT_PROXY_COMMAND GIT_EXTERNAL_DIFF GIT_PAGER GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_TEMPLATE_DIR")]
    [TestCase("GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_ALLOW_PROTOCOL")]
    [TestCase("GIT_PROTOCOL_FROM_USER GIT_CEILING_DIRECTORIES PAGER MANPAGER LESSOPEN LESSCLOSE EDITOR VISUAL BROWSER SSH_ASKPASS SUDO_ASKPASS")]
    [TestCase("NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_CA_BUNDLE SSLKEYLOGFILE OPENSSL_CONF")]
    [TestCase("OPENSSL_MODULES OPENSSL_ENGINES GRPC_DEFAULT_SSL_ROOTS_FILE_PATH HTTPLIB2_CA_CERTS KRB5_CONFIG")]
    [TestCase("GOPROXY GONOSUMDB GONOSUMCHECK GONOPROXY GOSUMDB GOFLAGS GOINSECURE GOROOT GOPATH GOENV GOBIN")]
    [TestCase("GOTOOLCHAIN GOPRIVATE RUSTC_WRAPPER RUSTC RUSTFLAGS CC CXX MAKEFLAGS NIX_PATH")]
    [TestCase("MALLOC_TRACE NODE_CHANNEL_FD ASPNETCORE_HOSTINGSTARTUPASSEMBLIES DOTNET_HOSTINGSTARTUPASSEMBLIES PSMODULEPATH GUILE_LOAD_PATH GUILE_LOAD_COMPILED_PATH")]
    [TestCase("OCTAVE_SITE_INITFILE OCTAVE_VERSION_INITFILE COMPOSER_HOME SUDO_EDITOR SYSTEMD_EDITOR VIMINIT EXINIT INPUTRC CURL_HOME WGETRC SYSTEM_WGETRC")]
    public void IsForbidden_EachNameOfTheList_IsTrueInAnyCaseAndOnlyWhole(string names) => Assert.Multiple(() =>
    {
        foreach (string name in names.Split(' '))
        {
            Assert.That(EnvironmentRules.IsForbidden(name), Is.True, name);
            Assert.That(EnvironmentRules.IsForbidden(name.ToLowerInvariant()), Is.True, name);
            Assert.That(EnvironmentRules.IsForbidden("X" + name), Is.EqualTo(name.EndsWith("_PROXY", StringComparison.Ordinal)), name);
        }
    });

    [TestCase("LD_ DYLD_ PYTHON SSL_ NPM_CONFIG_ PIP_ NUGET_ UV_ LUA_PATH_ LUA_CPATH_ LUA_INIT_ DOTNET_ROOT_ DOTNET_ROOT(")]
    [TestCase("CORECLR_ COR_ COMPLUS_ DOTNET_GCNAME DOTNET_DBGENABLEMINIDUMP DOTNET_ENABLEPROFILING DOTNET_PROFILER YARN_ PNPM_ BUN_CONFIG_ BUN_OPTIONS")]
    [TestCase("DOTNET_ALTJIT DOTNET_JITNAME DOTNET_JITPATH")]
    [TestCase("DOTNET_ENABLEEVENTPIPE DOTNET_EVENTPIPE DOTNET_DIAGNOSTICPORTS DOTNET_CROSSGEN MSBUILD COREPACK_ BUN_INSTALL RUBY PERL5 GIT_TRACE GIT_ATTR_")]
    [TestCase("GTK_ GIO_ GST_PLUGIN QT_PLUGIN QT_QPA_PLATFORM_PLUGIN MAGICK_")]
    [TestCase("DENO_ POETRY_ PIPX_ PIPENV_ CONDA_ CARGO_ RUSTUP_ BUNDLE_ GIT_CONFIG GIT_SSH GIT_SSL_ BASH_FUNC_ MAVEN_ARGS")]
    public void IsForbidden_EachFamilyOfNames_IsTrueForAnyMember(string prefixes) => Assert.Multiple(() =>
    {
        foreach (string prefix in prefixes.Split(' '))
        {
            Assert.That(EnvironmentRules.IsForbidden(prefix + "ANY"), Is.True, prefix);
            Assert.That(EnvironmentRules.IsForbidden("MY" + prefix + "ANY"), Is.False, prefix);
        }
    });

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
