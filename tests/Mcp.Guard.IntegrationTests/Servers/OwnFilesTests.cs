using System.Text.Json.Nodes;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>
/// A server that could write the guard's own files (it runs without isolation and is told that it may) is asked to, in every way that a path can be written:
/// the guard denies each, and each file is what it was.
/// </summary>
[TestFixture]
internal sealed class OwnFilesTests
{
    private string _work = string.Empty;
    private string _root = string.Empty;

    private string PolicyFile => Path.Combine(_work, "policy", "mcp-guard.json");

    private string Audit => Path.Combine(_work, "audit");

    private string State => Path.Combine(_work, "state");

    private static IEnumerable<string> Targets() => ["policy/mcp-guard.json", "audit/new.jsonl", "audit/SEGMENT", "state/pins.json", "state/grants.json", "state/new", "keys/checkpoint.json"];

    [SetUp]
    public void MakeFolders()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-own-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        foreach (string folder in (string[])["policy", "audit", "state", "keys", "root/sub"])
        {
            Directory.CreateDirectory(Path.Combine(_work, folder));
        }

        File.WriteAllText(Path.Combine(_root, "evil.json"), "{}");
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task Tool_WritesTheGuardsOwnFiles_EachWayIsDeniedAndNothingChanges()
    {
        await using ServiceProvider services = Start();
        await using McpClient client = await services.GetRequiredService<IMcpGuard>().ConnectAsync("files");
        await client.ListToolsAsync();
        Assert.That((await CallAsync(client, "write_file", new() { ["path"] = Path.Combine(_root, "ok.txt"), ["content"] = "x" })).IsError, Is.Not.True, "the server does write where it may");
        string segment = Directory.EnumerateFiles(Audit).First();
        var before = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in OwnFiles().Where(path => !path.StartsWith(Audit, StringComparison.Ordinal) && !path.EndsWith(".lock", StringComparison.Ordinal)))
        {
            before[path] = Convert.ToBase64String(File.ReadAllBytes(path));
        }

        Assert.That(before.Keys, Is.SupersetOf((string[])[PolicyFile, Path.Combine(State, "pins.json")]));
        var attempts = new List<(string Tool, JsonObject Arguments)>();
        foreach (string target in Targets())
        {
            string path = Path.Combine(_work, target.Replace("SEGMENT", Path.GetFileName(segment), StringComparison.Ordinal));
            foreach (string spelled in Spellings(path))
            {
                attempts.Add(("write_file", new() { ["path"] = spelled, ["content"] = "evil" }));
                attempts.Add(("move_file", new() { ["source"] = Path.Combine(_root, "evil.json"), ["destination"] = spelled }));
                attempts.Add(("move_file", new() { ["source"] = spelled, ["destination"] = Path.Combine(_root, "stolen") }));
                attempts.Add(("edit_file", new() { ["path"] = spelled, ["edits"] = new JsonArray(new JsonObject { ["oldText"] = "deny", ["newText"] = "allow" }) }));
                attempts.Add(("read_text_file", new() { ["path"] = spelled }));
            }
        }

        foreach (string folder in (string[])[Path.GetDirectoryName(PolicyFile)!, Audit, State, Path.Combine(_work, "keys"), _work])
        {
            // Who moves the folder moves what lies in it.
            attempts.Add(("move_file", new() { ["source"] = folder, ["destination"] = Path.Combine(_root, "moved") }));
            attempts.Add(("create_directory", new() { ["path"] = Path.Combine(folder, "made") }));
        }

        foreach (var (tool, arguments) in attempts)
        {
            CallToolResult result = await CallAsync(client, tool, arguments);
            string text = ((TextContentBlock)result.Content[0]).Text;
            Assert.That(text, Does.Contain("[path-outside-roots]").Or.Contain("[arguments-invalid]").Or.Contain("[arguments-malformed]"), $"{tool} {arguments.ToJsonString()}");
            Assert.That(result.IsError, Is.True);
        }

        Assert.Multiple(() =>
        {
            foreach (var (path, content) in before)
            {
                Assert.That(File.Exists(path) ? Convert.ToBase64String(File.ReadAllBytes(path)) : "gone", Is.EqualTo(content), path);
            }

            Assert.That(Directory.EnumerateFiles(Audit, "*.jsonl").Select(File.ReadAllText), Has.None.StartsWith("evil"));
            Assert.That(File.Exists(Path.Combine(Audit, "new.jsonl")) || File.Exists(Path.Combine(State, "new")), Is.False);
            Assert.That(File.Exists(Path.Combine(_root, "stolen")) || Directory.Exists(Path.Combine(_root, "moved")), Is.False);
            Assert.That(File.ReadAllText(Path.Combine(_root, "evil.json")), Is.EqualTo("{}"), "nor was it moved away");
            Assert.That(attempts, Has.Count.GreaterThan(300));
        });
    }

    [TestCase("root", "policy/mcp-guard.json", "the policy file")]
    [TestCase("root", "audit", "audit")]
    [TestCase("root", "state", "state")]
    [TestCase("root", "keys/checkpoint.json", "checkpoint")]
    [TestCase("mount", "policy/mcp-guard.json", "the policy file")]
    [TestCase("mount", "audit", "audit")]
    [TestCase("mount", "state", "state")]
    [TestCase("mount", "keys/checkpoint.json", "checkpoint")]
    public void Start_PolicyThatExposesOneOfTheGuardsFiles_IsRefusedDirectlyAndByLink(string kind, string own, string purpose)
    {
        string path = Path.Combine(_work, own);
        string folder = Path.HasExtension(path) ? Path.GetDirectoryName(path)! : path;
        string link = Path.Combine(_work, "link-to-it");
        Directory.CreateSymbolicLink(link, folder);
        string linkToParent = Path.Combine(_root, "up");
        Directory.CreateSymbolicLink(linkToParent, _work);
        foreach (string exposed in (string[])[folder, _work, link, linkToParent, Path.Combine(linkToParent, Path.GetFileName(folder))])
        {
            string server = kind == "root"
                ? $$"""{ "command": "/bin/true", "isolation": { "mode": "none" }, "roots": [{{Json(exposed)}}] }"""
                : $$"""{ "command": "/bin/true", "isolation": { "mode": "bubblewrap", "writable": [{{Json(exposed)}}] } }""";
            var fault = Assert.Throws<McpGuardPolicyException>(() => Start(server).Dispose(), exposed);
            Assert.That(fault!.Message, Does.Contain(PolicyFile).And.Contain(kind == "root" ? "/servers/files/roots/0" : "/servers/files/isolation/writable/0").And.Match(exposed == folder || exposed == link ? purpose : "."), exposed);
        }
    }

    private static string Json(string text) => JsonValue.Create(text).ToJsonString();

    private static async Task<CallToolResult> CallAsync(McpClient client, string tool, JsonObject arguments) =>
        await client.CallToolAsync(tool, arguments.ToDictionary(member => member.Key, member => (object?)member.Value?.DeepClone(), StringComparer.Ordinal));

    private IEnumerable<string> OwnFiles() =>
        ((string[])["policy", "audit", "state", "keys"]).SelectMany(folder => Directory.EnumerateFiles(Path.Combine(_work, folder), "*", SearchOption.AllDirectories));

    /// <summary>Ways to write a path, among them links that lie inside the root.</summary>
    private IEnumerable<string> Spellings(string path)
    {
        string relative = Path.GetRelativePath(_work, path);
        string name = relative.Replace('/', '-');
        string fileLink = Path.Combine(_root, $"link-{name}");
        string folderLink = Path.Combine(_root, $"folder-{name}");
        string chain = Path.Combine(_root, "sub", $"chain-{name}");
        if (!File.Exists(fileLink) && !Directory.Exists(folderLink))
        {
            File.CreateSymbolicLink(fileLink, path);
            Directory.CreateSymbolicLink(folderLink, Path.GetDirectoryName(path)!);
            if (OperatingSystem.IsLinux() && File.Exists(path))
            {
                using System.Diagnostics.Process second = System.Diagnostics.Process.Start("ln", [path, Path.Combine(_root, $"hard-{name}")]);
                second.WaitForExit();
            }

            File.CreateSymbolicLink(chain, "../" + Path.GetFileName(fileLink));
        }

        yield return path;
        yield return Path.Combine(_root, "..", relative);
        yield return $"{_root}/sub/../../{relative}";
        yield return $"{_root}//.///..//{relative}";
        yield return $"/proc/self/root{path}";
        yield return $"/proc/self/cwd/../{relative}";
        yield return new Uri(path).AbsoluteUri;
        yield return $"file://{_root}/%2e%2e/{relative}";
        yield return $"{_root}/%2e%2e/{relative}" is var escaped && Directory.Exists(_root + "/%2e%2e") ? escaped : path + "/";
        yield return $"{_root}\\..\\{relative}" is var backslashes && OperatingSystem.IsWindows() ? backslashes : path + "/.";
        yield return $"../{relative}";
        yield return fileLink;
        yield return Path.Combine(folderLink, Path.GetFileName(path));
        yield return chain;
        if (File.Exists(Path.Combine(_root, $"hard-{name}")))
        {
            yield return Path.Combine(_root, $"hard-{name}");
            yield return Path.Combine(_root, "sub", "..", $"hard-{name}");
        }

        yield return Path.Combine(folderLink, "..", relative);
        yield return path + "\0.txt";
        yield return " " + path;
        yield return "~/../" + path;
    }

    private ServiceProvider Start(string? other = null)
    {
        string script = other is null ? NpmServers.Require("server-filesystem", "index.js") : string.Empty;
        string server = other ?? $$"""
            {
              "command": {{Json(NpmServers.Node)}},
              "arguments": [{{Json(script)}}, {{Json(_work)}}],
              "isolation": { "mode": "none" },
              "roots": [{{Json(_root)}}],
              "rules": { "all": { "tools": ["*"], "effect": "allow", "rateLimit": { "permits": 100000, "per": "1s" } } }
            }
            """;
        File.WriteAllText(PolicyFile, $$"""
            {
              "stateDirectory": {{Json(State)}},
              "audit": { "directory": {{Json(Audit)}}, "checkpoints": {{Json(Path.Combine(_work, "keys", "checkpoint.json"))}} },
              "servers": { "files": {{server}} }
            }
            """);
        var services = new ServiceCollection();
        services.AddMcpGuard(PolicyFile).UseConsent(new ScriptedConsentProvider());
        ServiceProvider provider = services.BuildServiceProvider();
        try
        {
            provider.GetRequiredService<IMcpGuard>();
            return provider;
        }
        catch
        {
            provider.Dispose();
            throw;
        }
    }
}
