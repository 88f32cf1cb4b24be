using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>Commands by their text: entries, arguments, variables, packages, runners, and the reason that is told.</summary>
[TestFixture]
internal sealed class CommandListTests
{
    private static readonly CommandAllowlist Two = new(
    [
        new CommandEntry("server", [CommandArgument.Literal("a"), CommandArgument.Literal("b")], ["X", "Y"]),
        new CommandEntry("server", [], []),
        new CommandEntry(string.Empty, [], []),
    ]);

    [TestCase("server", "a b", "", PathFlavor.Unix, null)]
    [TestCase("server", "a b", "X=1", PathFlavor.Unix, null)]
    [TestCase("server", "a b", "Y=1 X=2", PathFlavor.Unix, null)]
    [TestCase("server", "", "", PathFlavor.Unix, null)]
    [TestCase("SERVER", "", "", PathFlavor.Windows, null)]
    [TestCase("SERVER", "", "", PathFlavor.Unix, "NotListed")]
    [TestCase("server", "a b", "x=1", PathFlavor.Windows, null)]
    [TestCase("server", "a b", "x=1", PathFlavor.Unix, "VariableNotListed")]
    [TestCase("server", "a b", "Z=1", PathFlavor.Unix, "VariableNotListed")]
    [TestCase("server", "", "X=1", PathFlavor.Unix, "VariableNotListed")]
    [TestCase("server", "a", "", PathFlavor.Unix, "ArgumentsNotListed")]
    [TestCase("server", "b a", "", PathFlavor.Unix, "ArgumentsNotListed")]
    [TestCase("server", "a B", "", PathFlavor.Unix, "ArgumentsNotListed")]
    [TestCase("server", "a b c", "", PathFlavor.Unix, "ArgumentsNotListed")]
    [TestCase("", "", "", PathFlavor.Unix, "NotListed")]
    [TestCase("other", "a b", "", PathFlavor.Unix, "NotListed")]
    [TestCase("server", "a b", "PATH=1", PathFlavor.Unix, "VariableForbidden")]
    [TestCase("server", "a\0 b", "", PathFlavor.Unix, "Nul")]
    [TestCase("server\0", "a b", "", PathFlavor.Unix, "Nul")]
    [TestCase("server", "a b", "X\0=1", PathFlavor.Unix, "Nul")]
    [TestCase("server", "a b", "X=1\0", PathFlavor.Unix, "Nul")]
    [TestCase("cmd", "", "", PathFlavor.Windows, "CommandProcessor")]
    [TestCase("cmd", "", "", PathFlavor.Unix, "NotListed")]
    [TestCase("server.bat", "", "", PathFlavor.Unix, "BatchFile")]
    public void Check_CommandLine_IsTheListedOneOrSaysWhatIsNot(string command, string arguments, string variables, PathFlavor flavor, string? reason)
    {
        CommandVerdict verdict = Two.Check(
            command,
            arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            [.. variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => KeyValuePair.Create(pair.Split('=')[0], pair.Split('=')[1]))],
            flavor);
        Assert.That(verdict.IsAllowed ? null : verdict.Denial.ToString(), Is.EqualTo(reason));
        Assert.That(verdict.Message, Is.EqualTo(reason is null ? string.Empty : CommandDenials.Describe(verdict.Denial)));
        Assert.That(verdict.Code, Is.EqualTo(reason is null ? null : "server-not-allowed"));
    }

    [TestCase("", "VariableName")]
    [TestCase("A=B", "VariableName")]
    public void Check_NameOfAVariable_CannotHoldAnother(string name, string reason) =>
        Assert.That(Two.Check("server", ["a", "b"], [new(name, "1")], PathFlavor.Unix).Denial.ToString(), Is.EqualTo(reason));

    // The nearest entry is told: one whose arguments fit and whose variables do not, whichever comes first.
    [Test]
    public void Check_SeveralEntriesThatAlmostFit_TheNearestIsTold() => Assert.Multiple(() =>
    {
        var variables = new CommandEntry("s", [], []);
        var arguments = new CommandEntry("s", [CommandArgument.Literal("a")], []);
        foreach (CommandEntry[] entries in (CommandEntry[][])[[variables, arguments], [arguments, variables]])
        {
            Assert.That(new CommandAllowlist(entries).Check("s", [], [new("X", "1")], PathFlavor.Unix).Denial, Is.EqualTo(CommandDenial.VariableNotListed));
        }
    });

    [TestCase("a.bat", true)]
    [TestCase("a.CMD", true)]
    [TestCase("C:\\x\\a.bat. . ", true)]
    [TestCase("\"a.cmd\"", true)]
    [TestCase("a.bat::$DATA", true)]
    [TestCase("a.bat. ::$DATA", true)]
    [TestCase("a.bat.exe", false)]
    [TestCase("abat", false)]
    [TestCase("a.cmdx", false)]
    [TestCase("a::b.txt", false)]
    public void IsBatchFile_Name_IsWhatWindowsStartsAsOne(string command, bool expected) => Assert.That(CommandAllowlist.IsBatchFile(command), Is.EqualTo(expected));

    [TestCase("cmd", true)]
    [TestCase("CMD.exe", true)]
    [TestCase("C:\\Windows\\System32\\cmd.exe", true)]
    [TestCase("C:/Windows/cmd. ", true)]
    [TestCase("command.com", true)]
    [TestCase("cmdx", false)]
    [TestCase("xcmd", false)]
    [TestCase("cmd/x", false)]
    public void IsCommandProcessor_Name_IsTheShellOfWindows(string command, bool expected) => Assert.That(CommandAllowlist.IsCommandProcessor(command), Is.EqualTo(expected));

    [TestCase("pkg", "1.0.0", "pkg@1.0.0")]
    [TestCase("@s/p_k.g-1", "1.2.3-rc.1+b_5!2", "@s/p_k.g-1@1.2.3-rc.1+b_5!2")]
    [TestCase("p", "1.0", "p@1.0")]
    [TestCase("@s/", "1.0.0", null)]
    [TestCase("@/p", "1.0.0", null)]
    [TestCase("@s", "1.0.0", null)]
    [TestCase("@s/.p", "1.0.0", null)]
    [TestCase("@-s/p", "1.0.0", null)]
    [TestCase("", "1.0.0", null)]
    [TestCase(".p", "1.0.0", null)]
    [TestCase("p/q", "1.0.0", null)]
    [TestCase("p q", "1.0.0", null)]
    public void TryPackage_Name_IsPlain(string name, string version, string? expected)
    {
        Assert.That(CommandArgument.TryPackage(name, version, out CommandArgument argument, out string problem), Is.EqualTo(expected is not null));
        Assert.That(argument.Text, Is.EqualTo(expected));
        Assert.That(problem, Is.EqualTo(expected is null ? "the package is not a plain name (@scope/name or name): no URL, no path, no alias" : string.Empty));
    }

    [TestCase("")]
    [TestCase("1")]
    [TestCase("v1.0")]
    [TestCase(".1")]
    [TestCase("1.")]
    [TestCase("1..2")]
    [TestCase("1.X")]
    [TestCase("1.x.2")]
    [TestCase("1.2.x")]
    [TestCase("1.2.*")]
    [TestCase("1.2 3")]
    public void TryPackage_Version_IsExact(string version)
    {
        Assert.That(CommandArgument.TryPackage("p", version, out CommandArgument argument, out string problem), Is.False);
        Assert.That((argument.Text, problem), Is.EqualTo((null as string, "the version must be one exact version, not a range or a tag")));
    }

    [TestCase("npx server", "npx", "its first argument has to be name@version with one exact version")]
    [TestCase("npx", "npx", "it names no package")]
    [TestCase("npx --x server@1.2.3", "npx", "before the package only -y and the like are accepted")]
    [TestCase("npx -- -y server@1.2.3", "npx", "before the package only -y and the like are accepted")]
    [TestCase("npm exec server@1.2.3", "npm exec", "write '--' before the package, so that no later argument is an option of the runner")]
    [TestCase("npm install x", "npm", "of its commands only exec, run and start are known to start a server, with nothing before them")]
    [TestCase("pnpm --x dlx a@1.0.0", "pnpm dlx", "the command has to be the first argument")]
    [TestCase("pnpm create a", "pnpm dlx", "the command has to be the first argument")]
    [TestCase("yarn --x dlx a@1.0.0", "yarn dlx", "the command has to be the first argument")]
    [TestCase("yarn create a", "yarn dlx", "the command has to be the first argument")]
    [TestCase("yarn init a", "yarn dlx", "the command has to be the first argument")]
    [TestCase("yarnpkg init a", "yarn dlx", "the command has to be the first argument")]
    [TestCase("bun --y x a@1.0.0", "bun x", "the command has to be the first argument")]
    [TestCase("bun create a", "bun x", "the command has to be the first argument")]
    [TestCase("uvx a", "uvx", "its first argument has to be name@version or --from, with one exact version")]
    [TestCase("uvx", "uvx", "its first argument has to be name@version or --from, with one exact version")]
    [TestCase("uvx --from a==1.0.0", "uvx", "after --from come the package with its version and the bare name of the program")]
    [TestCase("uvx --from a==1.0.0 -x", "uvx", "after --from come the package with its version and the bare name of the program")]
    [TestCase("uvx --from a==1.0.0 b@1", "uvx", "after --from come the package with its version and the bare name of the program")]
    [TestCase("uvx --from a b", "uvx", "the package has to be name==version with one exact version")]
    [TestCase("uv sync", "uv", "start it as 'uv run --offline ...', which fetches nothing, or as 'uv tool run name@version'")]
    [TestCase("uv tool install a", "uv", "start it as 'uv run --offline ...', which fetches nothing, or as 'uv tool run name@version'")]
    [TestCase("pipx run a", "pipx run", "its first argument has to be name@version or --spec, with one exact version")]
    [TestCase("pipx -q run a==1.0.0", "pipx run", "the command has to be the first argument")]
    [TestCase("dnx a", "dnx", "its first argument has to be name@version with one exact version")]
    [TestCase("dotnet tool execute a", "dotnet tool exec", "its first argument has to be name@version with one exact version")]
    [TestCase("deno serve x.ts", "deno", "start it as 'deno run --cached-only ...', which fetches nothing")]
    [TestCase("deno x npm:a", "deno", "start it as 'deno run --cached-only ...', which fetches nothing")]
    [TestCase("go run a@latest", "go run", "its first argument has to be name@version with one exact version")]
    [TestCase("nix shell a", "nix", "it has no form with one version; start the built program")]
    [TestCase("nix develop a", "nix", "it has no form with one version; start the built program")]
    [TestCase("docker create a", "docker", "start it as 'run --pull=never ...' with an image by digest, or use isolation.mode \"container\"")]
    [TestCase("nerdctl compose up", "nerdctl", "start it as 'run --pull=never ...' with an image by digest, or use isolation.mode \"container\"")]
    [TestCase("podman -l run a", "podman", "start it as 'run --pull=never ...' with an image by digest, or use isolation.mode \"container\"")]
    [TestCase("corepack x", "corepack", "it fetches the package manager itself; name the program that it would start")]
    [TestCase("env X=npx server", "env", "it starts another program; name that one as the command")]
    [TestCase("env nice env nice env npx a@1.0.0", "npx", null)]
    [TestCase("env nice env nice env sh x", null, null)]
    public void Check_Runner_SaysWhatToWrite(string line, string? runner, string? problem)
    {
        string[] words = line.Split(' ');
        RunnerVerdict verdict = FetchingRunners.Check(words[0], words[1..]);
        Assert.That((verdict.Runner, verdict.Problem), Is.EqualTo((runner, problem)));
    }

    [Test]
    public void Check_Shell_SaysWhatToWrite()
    {
        RunnerVerdict verdict = FetchingRunners.Check("bash", ["-c", "cd /srv && npx server@1.2.3"]);
        Assert.That((verdict.Runner, verdict.Problem), Is.EqualTo(("bash", "a shell's command line starts one; name the program and its arguments themselves")));
    }

    [TestCase("pnpm run dev")]
    [TestCase("pnpm start")]
    [TestCase("yarn start")]
    [TestCase("yarn")]
    [TestCase("bun server.ts")]
    [TestCase("bun run dev")]
    [TestCase("npm start")]
    [TestCase("npm test")]
    [TestCase("npm stop")]
    [TestCase("npm restart")]
    [TestCase("npm run-script x")]
    [TestCase("pipx list")]
    [TestCase("deno task x")]
    [TestCase("deno")]
    [TestCase("deno x --cached-only npm:a")]
    [TestCase("deno serve --cached-only a.ts")]
    [TestCase("go build")]
    [TestCase("go run ./cmd")]
    [TestCase("nix build")]
    [TestCase("docker ps")]
    [TestCase("docker")]
    [TestCase("dotnet tool list")]
    [TestCase("dotnet exec x.dll")]
    [TestCase("dotnet")]
    [TestCase("python -m http.server")]
    [TestCase("python -I")]
    [TestCase("python -m")]
    [TestCase("python x.py -m pipx run a")]
    [TestCase("pythonista")]
    [TestCase("node")]
    [TestCase("node /opt/x.js /usr/lib/npx-cli.js")]
    [TestCase("node npx")]
    [TestCase("time /opt/server")]
    [TestCase("sh")]
    public void Check_NothingIsFetched_SaysNothing(string line)
    {
        string[] words = line.Split(' ');
        Assert.That(FetchingRunners.Check(words[0], words[1..]), Is.EqualTo(default(RunnerVerdict)));
    }

    [TestCase("npx --yes --bun --ignore-scripts --silent a@1.2.3", "npx")]
    [TestCase("pnpx a@1.2.3", "pnpx")]
    [TestCase("npm x --yes --ignore-scripts -- a@1.2.3", "npm exec")]
    [TestCase("pnpm dlx --ignore-scripts --silent a@1.2.3", "pnpm dlx")]
    [TestCase("yarn dlx -q --quiet a@1.2.3", "yarn dlx")]
    [TestCase("bun x --bun --silent a@1.2.3", "bun x")]
    [TestCase("pipx run --spec a==1.2.3 b", "pipx run")]
    [TestCase("uv tool run --from a@1.2.3 b", "uv tool run")]
    [TestCase("dnx -y a@1.2.3.4", "dnx")]
    [TestCase("dotnet dnx --yes a@1.2.3", "dotnet dnx")]
    [TestCase("dotnet tool execute -y a@1.2.3", "dotnet tool exec")]
    [TestCase("python3.13 -mpipx run a==1.2.3", "pipx run")]
    [TestCase("python -I -muv tool run a==1.2.3", "uv tool run")]
    [TestCase("py -m uv tool run a==1.2.3", "uv tool run")]
    [TestCase("nodejs --no-warnings /x/npx-cli.js a@1.2.3", "npx")]
    [TestCase("node C:\\x\\NPM-CLI.JS exec -- a@1.2.3", "npm exec")]
    [TestCase("\"/usr/bin/npx\" a@1.2.3", "npx")]
    [TestCase("D:npx.com a@1.2.3", "npx")]
    [TestCase("npx.mjs a@1.2.3", "npx")]
    [TestCase("npx.cjs a@1.2.3", "npx")]
    public void Check_OneExactVersion_IsPinned(string line, string runner)
    {
        string[] words = line.Split(' ');
        Assert.That(FetchingRunners.Check(words[0], words[1..]), Is.EqualTo(new RunnerVerdict(runner, null)));
    }

    [TestCase("npx a@1.2")]
    [TestCase("npx a@1.2.3.4")]
    [TestCase("npx @1.2.3")]
    [TestCase("dnx a@1.2")]
    [TestCase("dnx a@1.2.3.4.5")]
    [TestCase("dnx @s/a@1.2.3")]
    [TestCase("uvx @s/a==1.2.3")]
    [TestCase("uvx a===1.2.3")]
    [TestCase("go run @v1.2.3")]
    [TestCase("go run a@1.2.3")]
    [TestCase("go run a@v1.2")]
    [TestCase("go run a;b@v1.2.3")]
    public void Check_VersionThatLeavesSomethingOpen_IsRefused(string line)
    {
        string[] words = line.Split(' ');
        Assert.That(FetchingRunners.Check(words[0], words[1..]).IsRefused, Is.True);
    }

    [Test]
    public void IsShellOrWrapper_Names_AreThoseThatStartOthers() => Assert.Multiple(() =>
    {
        string[] starters =
        [
            "sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "pwsh", "powershell", "env", "sudo", "doas", "nohup", "nice", "ionice", "timeout", "stdbuf", "setsid", "time", "xargs", "exec",
            "command", "mise", "asdf", "volta", "fnm", "direnv", "start", "/bin/SH", "C:\\x\\PowerShell.exe",
        ];
        foreach (string name in starters)
        {
            Assert.That(FetchingRunners.IsShellOrWrapper(name), Is.True, name);
            Assert.That(FetchingRunners.Check(name, ["x", "npx", "server"]).IsRefused, Is.True, name);
        }

        foreach (string name in (string[])["node", "npx", "shx", ""])
        {
            Assert.That(FetchingRunners.IsShellOrWrapper(name), Is.False, name);
        }
    });

    [TestCase("A=1;LD_PRELOAD=x", true)]
    [TestCase("x\tNODE_OPTIONS=y", true)]
    [TestCase("(PATH=y)", true)]
    [TestCase("a|ENV=y", true)]
    [TestCase("a&ENV=y", true)]
    [TestCase("'ENV=y'", true)]
    [TestCase("\"ENV=y\"", true)]
    [TestCase("a\rENV=y", true)]
    [TestCase("a\nENV=y", true)]
    [TestCase("=PATH=y", true)]
    [TestCase("-SLD_PRELOAD=y node", true)]
    [TestCase("-iSNODE_OPTIONS=y node", true)]
    [TestCase("-xSy=z", false)]
    [TestCase("PATH", false)]
    [TestCase("xPATH=y", false)]
    [TestCase("--option=PATH", false)]
    [TestCase("=", false)]
    public void IsSetBy_Argument_IsSeenBehindWhateverStartsAWord(string argument, bool expected) => Assert.That(EnvironmentRules.IsSetBy(["x", argument]), Is.EqualTo(expected));
}
