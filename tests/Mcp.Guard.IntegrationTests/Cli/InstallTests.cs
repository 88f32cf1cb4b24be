using System.Text.Json;
using Mcp.Guard.IntegrationTests.Servers;

namespace Mcp.Guard.IntegrationTests.Cli;

/// <summary><c>install</c> as a process, from registries on this machine: the lock, what is checked, what does not run, and the server from the store.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[NonParallelizable]
internal sealed class InstallTests : IDisposable
{
    private const string Server = """
        import { createInterface } from "node:readline";
        import { tool } from "probe-dep";
        const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
        createInterface({ input: process.stdin }).on("line", (line) => {
          const { id, method } = JSON.parse(line);
          if (method === "initialize") send({ id, result: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "probe", version: "1" } } });
          else if (method === "tools/list") send({ id, result: { tools: [tool] } });
          else if (id !== undefined) send({ id, error: { code: -32601, message: "Method not found" } });
        });
        """;

    private readonly CliFolder _folder = new();
    private LocalNpmRegistry _registry = null!;

    private string Marker => _folder["script-ran"];

    private string Store => _folder["state/mcp-guard/packages"];

    [SetUp]
    public async Task MakeAsync()
    {
        _registry = await LocalNpmRegistry.StartAsync();
        string script = $"node -e \\\"require('fs').appendFileSync('{Marker}','x')\\\"";
        _registry.Publish(
            "probe-dep",
            $$"""{ "name": "probe-dep", "version": "1.0.0", "type": "module", "main": "index.js", "scripts": { "preinstall": "{{script}}", "install": "{{script}}", "postinstall": "{{script}}" } }""",
            ("index.js", """export const tool = { name: "say", inputSchema: { type: "object" } };"""));
        _registry.Publish(
            "probe-server",
            $$"""{ "name": "probe-server", "version": "1.0.0", "type": "module", "bin": "index.js", "dependencies": { "probe-dep": "1.0.0" }, "scripts": { "postinstall": "{{script}}", "prepare": "{{script}}" } }""",
            ("index.js", Server));
        _folder.Write("policy.json", """{ "servers": { "s": { "package": { "npm": "probe-server", "version": "1.0.0" }, "isolation": { "mode": "none" } } } }""");
    }

    [TearDown]
    public async Task StopAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Test]
    public async Task Install_PackageWithInstallScripts_LocksChecksRunsNoScriptAndTheServerStarts()
    {
        RequireNpm();
        McpGuardProcess install = await RunAsync("install", "policy.json", "--npm-registry", _registry.Url);
        Assert.That(install.ExitCode, Is.Zero, install.Both);
        Assert.That(install.Output, Does.Match("probe-server@1.0.0: installed\n +sha512 [0-9a-f]{128}"));
        Assert.That(File.Exists(Marker), Is.False, "an install script ran");

        string locked = await File.ReadAllTextAsync(Path.Combine(Store, "mcp-guard.lock.json"));
        Assert.That(locked, Does.Contain("probe-server").And.Contain("probe-dep").And.Contain("sha512-"), "every dependency has its integrity");

        McpGuardProcess check = await RunAsync("install", "policy.json", "--check", "--json");
        Assert.That(check.ExitCode, Is.Zero, check.Both);
        Assert.That(JsonDocument.Parse(check.Output).RootElement.GetProperty("packages")[0].GetProperty("state").GetString(), Is.EqualTo("verified"));

        McpGuardProcess against = await RunAsync("check", "policy.json", "--against", "s");
        Assert.That(against.ExitCode, Is.Zero, against.Both);
        Assert.That(against.Output, Does.Contain("say"));
        Assert.That(File.Exists(Marker), Is.False, "an install script ran at the start");
    }

    [Test]
    public async Task Check_OneChangedByteOfADependency_Exits1AndTheServerDoesNotStart()
    {
        RequireNpm();
        Assert.That((await RunAsync("install", "policy.json", "--npm-registry", _registry.Url)).ExitCode, Is.Zero);
        string file = Directory.EnumerateFiles(Store, "index.js", SearchOption.AllDirectories).Single(path => path.Contains("probe-dep", StringComparison.Ordinal));
        byte[] honest = await File.ReadAllBytesAsync(file);
        byte[] changed = [.. honest];
        changed[^3] ^= 1;
        MakeWritable(file);
        await File.WriteAllBytesAsync(file, changed);

        McpGuardProcess check = await RunAsync("install", "policy.json", "--check");
        McpGuardProcess against = await RunAsync("check", "policy.json", "--against", "s");
        Assert.Multiple(() =>
        {
            Assert.That(check.ExitCode, Is.EqualTo(1), check.Both);
            Assert.That(check.Error, Does.Contain("is not what was installed"));
            Assert.That(against.ExitCode, Is.EqualTo(2), against.Both);
            Assert.That(against.Error, Does.Contain("is not what was installed"));
        });

        McpGuardProcess again = await RunAsync("install", "policy.json", "--npm-registry", _registry.Url);
        Assert.That(again.ExitCode, Is.Zero, again.Both);
        Assert.That(await File.ReadAllBytesAsync(file), Is.EqualTo(honest));
        Assert.That(File.Exists(Marker), Is.False);
    }

    [Test]
    public async Task Install_RegistryThatGivesOtherBytesLater_IsRefused()
    {
        RequireNpm();
        Assert.That((await RunAsync("install", "policy.json", "--npm-registry", _registry.Url)).ExitCode, Is.Zero);
        string file = Directory.EnumerateFiles(Store, "index.js", SearchOption.AllDirectories).First(path => path.Contains("probe-dep", StringComparison.Ordinal));
        MakeWritable(file);
        await File.AppendAllTextAsync(file, "// changed");
        _registry.Publish("probe-dep", """{ "name": "probe-dep", "version": "1.0.0", "type": "module", "main": "index.js" }""", ("index.js", "export const tool = { name: 'evil', inputSchema: {} };"));

        McpGuardProcess again = await RunAsync("install", "policy.json", "--npm-registry", _registry.Url);
        Assert.That(again.ExitCode, Is.EqualTo(1), again.Both);
        Assert.That(again.Error, Does.Contain("EINTEGRITY").Or.Contain("integrity"));
        Assert.That((await RunAsync("install", "policy.json", "--check")).ExitCode, Is.EqualTo(1));
    }

    [Test]
    public async Task Install_TwoAtOnceIntoOneStore_BothEndUpInTheLock()
    {
        RequireNpm();
        _folder.Write("dep.json", """{ "servers": { "d": { "package": { "npm": "probe-other", "version": "1.0.0" }, "isolation": { "mode": "none" } } } }""");
        _registry.Publish("probe-other", """{ "name": "probe-other", "version": "1.0.0", "type": "module", "bin": "index.js" }""", ("index.js", Server));
        string leftover = Directory.CreateDirectory(Path.Combine(Store, ".staging-0123")).FullName;

        McpGuardProcess[] both = await Task.WhenAll(
            RunAsync("install", "policy.json", "--npm-registry", _registry.Url), RunAsync("install", "dep.json", "--npm-registry", _registry.Url));
        Assert.That(both.Select(static run => run.ExitCode), Has.All.Zero, both[0].Both + both[1].Both);
        foreach (string policy in (string[])["policy.json", "dep.json"])
        {
            McpGuardProcess check = await RunAsync("install", policy, "--check");
            Assert.That(check.ExitCode, Is.Zero, check.Both);
        }

        Assert.That(Directory.Exists(leftover), Is.False, "what an installation left that was killed");
    }

    [Test]
    public async Task Install_DotnetToolFromAFolder_LocksAndStarts()
    {
        PackageServerTests.Pack(Path.Combine(_folder.Folder("feed"), "Probe.Server.1.0.0.nupkg"));
        _folder.Write("dotnet.json", """{ "servers": { "s": { "package": { "dotnet": "Probe.Server", "version": "1.0.0" }, "arguments": ["serve"], "isolation": { "mode": "none" } } } }""");
        McpGuardProcess install = await RunAsync("install", "dotnet.json", "--nuget-source", _folder["feed"]);
        Assert.That(install.ExitCode, Is.Zero, install.Both);
        Assert.That((await RunAsync("install", "dotnet.json", "--check")).ExitCode, Is.Zero);
        McpGuardProcess against = await RunAsync("check", "dotnet.json", "--against", "s");
        Assert.That(against.ExitCode, Is.Zero, against.Both);
        Assert.That(against.Output, Does.Contain("echo"));
    }

    [Test]
    public async Task Init_NpxOfAnOpenVersion_BecomesAPinnedPackageOfTheStore()
    {
        RequireNpm();
        McpGuardProcess init = await RunAsync(
            "init", "--unisolated", "--npm-registry", _registry.Url, "-o", _folder["written.json"], "--package-store", _folder["store"], "--", "npx", "-y", "probe-server");
        Assert.That(init.ExitCode, Is.Zero, init.Both);
        JsonElement server = JsonDocument.Parse(await File.ReadAllTextAsync(_folder["written.json"])).RootElement.GetProperty("servers").GetProperty("probe-server");
        Assert.That(server.GetProperty("package").GetProperty("version").GetString(), Is.EqualTo("1.0.0"));
        Assert.That(server.TryGetProperty("command", out _), Is.False);
        Assert.That(File.Exists(Marker), Is.False);
    }

    private static void RequireNpm()
    {
        if (NpmServers.Node.Length == 0 || !File.Exists(Path.Combine(Path.GetDirectoryName(NpmServers.Node)!, OperatingSystem.IsWindows() ? "npm.cmd" : "npm")))
        {
            Assert.Ignore("needs node and npm");
        }
    }

    private static void MakeWritable(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private Task<McpGuardProcess> RunAsync(params string[] arguments) => McpGuardProcess.RunAsync(
        _folder.FullPath, arguments, environment: new Dictionary<string, string> { ["npm_config_cache"] = _folder["npm-cache"], ["npm_config_update_notifier"] = "false", ["NUGET_PACKAGES"] = _folder["nuget"] });
}
