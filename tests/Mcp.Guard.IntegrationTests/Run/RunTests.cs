using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.IntegrationTests.Servers;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary>How <c>mcp-guard run</c> behaves: bad input, what it writes where, who gets in over HTTP, and what a dry run lets pass.</summary>
[TestFixture]
internal sealed class RunTests
{
    private string _work = string.Empty;
    private string _root = string.Empty;

    [SetUp]
    public void MakeFolders()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-run-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        File.WriteAllText(Path.Combine(_root, "a.txt"), "one\n");
    }

    [TearDown]
    public void RemoveFolders() => Directory.Delete(_work, recursive: true);

    private string Policy(string rules, string? script = null, bool known = true)
    {
        string path = Path.Combine(_work, "mcp-guard.json");
        File.WriteAllText(path, $$"""
            {
              "stateDirectory": {{JsonSerializer.Serialize(Path.Combine(_work, "state"))}},
              "servers": {
                "files": {
                  "command": {{JsonSerializer.Serialize(known ? NpmServers.RequireNode() : Path.Combine(_work, "absent"))}},
                  "arguments": [{{JsonSerializer.Serialize(script ?? NpmServers.Require("server-filesystem", "index.js"))}}, {{JsonSerializer.Serialize(_root)}}],
                  "isolation": { "mode": "none" },
                  "roots": [{{JsonSerializer.Serialize(_root)}}],
                  "rateLimit": { "permits": 1000, "per": "1s" },
                  "rules": {{rules}}
                }
              }
            }
            """);
        return path;
    }

    private const string AllowAll = """{ "all": { "tools": ["*"], "effect": "allow" } }""";

    private static ElicitResult Answer(string word) => new()
    {
        Action = "accept",
        Content = new Dictionary<string, JsonElement> { ["answer"] = JsonSerializer.SerializeToElement(word) },
    };

    private static string TextOf(CallToolResult result) => string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));

    private static Task<string> ReadAsync(McpClient client, string path) => CallAsync(client, "files__read_text_file", new() { ["path"] = path });

    private Task<string> WriteAsync(McpClient client, string name) => CallAsync(client, "files__write_file", new() { ["path"] = Path.Combine(_root, name), ["content"] = "x" });

    private static async Task<string> CallAsync(McpClient client, string tool, Dictionary<string, object?> arguments) => TextOf(await client.CallToolAsync(tool, arguments));

    // ---- bad input --------------------------------------------------------------------------------------------------------------------------

    [TestCase("missing")]
    [TestCase("unreadable")]
    [TestCase("unknown-key")]
    [TestCase("no-server")]
    [TestCase("folder")]
    public async Task BadPolicy_OneMessageAndExitTwo(string what)
    {
        string path = Path.Combine(_work, "policy.json");
        switch (what)
        {
            case "unreadable":
                await File.WriteAllTextAsync(path, "{ \"servers\": ");
                break;
            case "unknown-key":
                await File.WriteAllTextAsync(path, "{ \"serverz\": {} }");
                break;
            case "no-server":
                await File.WriteAllTextAsync(path, "{ \"servers\": {} }");
                break;
            case "folder":
                path = _work;
                break;
        }

        await using RunningGateway run = RunningGateway.Start(path);
        await Fails(run);
    }

    [TestCase("--http", "70000")]
    [TestCase("--caller", "a", "--caller", "b")]
    [TestCase("--http", "--caller", "a", "--caller", "a")]
    [TestCase("--token-file", "x")]
    [TestCase("--consent", "maybe")]
    public async Task BadOptions_OneMessageAndExitTwo(params string[] options)
    {
        await using RunningGateway run = RunningGateway.Start([Policy(AllowAll), .. options]);
        await Fails(run);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task ServerThatDoesNotStart_SaysWhatItWroteAndExitTwo(bool known)
    {
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll, Path.Combine(_work, "absent.js"), known));
        await Fails(run);
        Assert.That(run.Errors, Has.Some.Contains("the server 'files' does not start"));
        if (known)
        {
            Assert.That(run.Errors, Has.Some.Contains("Cannot find module"), "the end of the server's own standard error");
        }
    }

    /// <summary>JSON-RPC it may be, MCP it is not.</summary>
    [TestCase("{ protocolVersion: 5, capabilities: [], serverInfo: 'none' }", "it answered with something that is no answer of MCP")]
    [TestCase("{ hello: 'world' }", "it answered with something that is no answer of MCP")]
    [TestCase("'hello'", "does not start")]
    [TestCase("[]", "does not start")]
    public async Task ServerThatAnswersWithSomethingElse_SaysSoAndExitTwo(string result, string says)
    {
        string script = Path.Combine(_work, "other.js");
        await File.WriteAllTextAsync(script, $$"""
            require('readline').createInterface({ input: process.stdin }).on('line', line => {
              const { id } = JSON.parse(line);
              if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: {{result}} }));
            });
            """);
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll, script));
        await Fails(run);
        Assert.That(run.Errors, Has.Some.Contains("the server 'files' does not start").And.Some.Contains(says));
    }

    private static async Task Fails(RunningGateway run)
    {
        Task<string> output = run.Process.StandardOutput.ReadToEndAsync();
        Assert.That(await run.ExitAsync(), Is.EqualTo(2), string.Join('\n', run.Errors));
        Assert.That(await output, Is.Empty, "nothing but the protocol goes to standard output");
        Assert.That(run.Errors, Has.Some.StartsWith("mcp-guard run: "));
        Assert.That(run.Errors, Has.None.Contains("at Mcp.Guard").And.None.Contains("at System.").And.None.Contains("Unhandled exception"));
    }

    // ---- standard streams -------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Stdio_EndOfInput_EndsTheServersAndExitZero()
    {
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll));
        await run.Process.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}""");
        string? answer = await run.Process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        run.Process.StandardInput.Close();
        string rest = await run.Process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.That(await run.ExitAsync(), Is.EqualTo(0), string.Join('\n', run.Errors));
        Assert.That(JsonNode.Parse(answer!)!["result"]!["serverInfo"]!["name"]!.ToString(), Is.EqualTo("mcp-guard"));
        foreach (string line in rest.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.That(JsonNode.Parse(line)!["jsonrpc"]!.ToString(), Is.EqualTo("2.0"), line);
        }
    }

    [Test]
    public async Task Stdio_LineWithoutEnd_CutOffAndExitTwo()
    {
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll));
        string chunk = new('a', 64 * 1024);
        try
        {
            for (int i = 0; i < 64; i++)
            {
                await run.Process.StandardInput.WriteAsync(chunk);
            }
        }
        catch (IOException)
        {
            // It has ended before the last of it: so it should.
        }

        Assert.That(await run.ExitAsync(), Is.EqualTo(2), string.Join('\n', run.Errors));
        Assert.That(run.Errors, Has.Some.Contains("a line of more than"));
    }

    [Test]
    public async Task Stdio_NoisyLines_AnsweredAndSurvived()
    {
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll));
        foreach (string line in (string[])["", "nonsense", "[]", "{\"jsonrpc\":\"2.0\"}", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/evil\"}", """{"jsonrpc":"2.0","id":7,"method":"tasks/list"}"""])
        {
            await run.Process.StandardInput.WriteLineAsync(line);
        }

        await run.Process.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}""");
        string? answer;
        do
        {
            answer = await run.Process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        while (answer is not null && (int?)JsonNode.Parse(answer)!["id"] != 1);
        Assert.That(answer, Does.Contain("serverInfo"));
    }

    [TestCase("2025-11-25")]
    [TestCase("2026-07-28")]
    public async Task Consent_DeniedAndConfirmed_ByElicitationOnly(string era)
    {
        string policy = Policy("""{ "w": { "tools": ["write_file"], "effect": "ask" } }""");
        string word = "no";
        await using (McpClient client = await RunningGateway.ConnectAsync(era, new McpClientHandlers { ElicitationHandler = (_, _) => new(Answer(word)) }, policy, "--caller", "ada"))
        {
            Assert.That(await WriteAsync(client, "no.txt"), Does.Contain("[consent-denied]"));
            word = "once";
            Assert.That(await WriteAsync(client, "yes.txt"), Does.Contain("Successfully"));
        }

        await using (McpClient client = await RunningGateway.ConnectAsync(era, new McpClientHandlers { ElicitationHandler = (_, _) => new(Answer("once")) }, policy, "--consent", "deny"))
        {
            Assert.That(await WriteAsync(client, "never.txt"), Does.Contain("[consent-unavailable]"));
        }

        Assert.That((File.Exists(Path.Combine(_root, "no.txt")), File.Exists(Path.Combine(_root, "yes.txt")), File.Exists(Path.Combine(_root, "never.txt"))), Is.EqualTo((false, true, false)));
    }

    [TestCase("2025-11-25")]
    [TestCase("2026-07-28")]
    public async Task Stdio_ManyCallsAtOnce_EachHasItsOwnAnswer(string era)
    {
        for (int i = 0; i < 40; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(_root, $"{i}.txt"), $"number {i}.");
        }

        await using McpClient client = await RunningGateway.ConnectAsync(era, null, Policy(AllowAll));
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => ReadAsync(client, Path.Combine(_root, $"{i}.txt"))));
        Assert.That(answers, Is.EqualTo(Enumerable.Range(0, 40).Select(i => $"number {i}.")));
        Assert.That(await ReadAsync(client, "/etc/passwd"), Does.Contain("[path-outside-roots]"));
        Assert.That(await CallAsync(client, "files__absent", []), Does.Contain("[tool-unknown]"));
        Assert.That(await CallAsync(client, "files__read_text_file", []), Does.Contain("[arguments-invalid]"));
    }

    [Test]
    public async Task Stdio_CallsThatNoReaderAgreesOn_ReachNoServer()
    {
        await using RunningGateway run = RunningGateway.Start(Policy(AllowAll));
        string path = JsonSerializer.Serialize(Path.Combine(_root, "a.txt"));
        string[] lines =
        [
            $$$"""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"files__read_text_file","name":"files__read_text_file","arguments":{"path":{{{path}}} } } }""",
            $$$"""{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"files__read_text_file","arguments":{"path":{{{path}}},"path":"/etc/passwd"} } }""",
            $$$"""{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"files__read_text_file","arguments":[{{{path}}}] } }""",
            """{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"files__read_text_file","arguments":{"path":"\ud800"}}}""",
        ];
        await run.Process.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}""");
        Assert.That(await run.Process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)), Does.Contain("serverInfo"));
        await run.Process.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        foreach (string line in lines)
        {
            await run.Process.StandardInput.WriteLineAsync(line);
        }

        await run.Process.StandardInput.WriteLineAsync($$$"""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"files__read_text_file","arguments":{"path":{{{path}}} } } }""");
        run.Process.StandardInput.Close();
        string said = await run.Process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        JsonNode[] answers = [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Where(message => message["id"] is not null)];
        Assert.That(answers.Where(message => message.ToJsonString().Contains("one\\n", StringComparison.Ordinal)).Select(message => (int)message["id"]!), Is.EqualTo(new[] { 7 }), said);
        Assert.That(answers.Where(message => (int)message["id"]! is >= 2 and <= 5).Select(message => message["error"] is not null || (bool?)message["result"]!["isError"] == true), Has.All.True.And.Exactly(4).Items, said);
    }

    // ---- HTTP -------------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task Http_ForeignHostOriginOrNoToken_RefusedBeforeAnythingIsRead()
    {
        string tokens = Path.Combine(_work, "tokens");
        await using RunningGateway run = await RunningGateway.StartHttpAsync(Policy(AllowAll), "--http", "--caller", "ada", "--token-file", tokens);
        string token = (await RunningGateway.TokensAsync(tokens))["ada"];
        string own = run.Url.Authority;
        using var http = new HttpClient();
        (string? Host, string? Origin, string? Authorization, HttpStatusCode Expected)[] cases =
        [
            (null, null, "Bearer " + token, HttpStatusCode.OK),
            ("localhost:" + run.Url.Port, null, "Bearer " + token, HttpStatusCode.OK),
            (null, "http://" + own, "Bearer " + token, HttpStatusCode.OK),
            ("evil.example", null, "Bearer " + token, HttpStatusCode.Forbidden),
            ("evil.example:" + run.Url.Port, null, "Bearer " + token, HttpStatusCode.Forbidden),
            ("127.0.0.1", null, "Bearer " + token, HttpStatusCode.Forbidden),
            ("127.0.0.1.evil.example:" + run.Url.Port, null, "Bearer " + token, HttpStatusCode.Forbidden),
            (null, "http://evil.example", "Bearer " + token, HttpStatusCode.Forbidden),
            (null, "https://" + own, "Bearer " + token, HttpStatusCode.Forbidden),
            (null, "null", "Bearer " + token, HttpStatusCode.Forbidden),
            (null, $"http://{own}.evil.example", "Bearer " + token, HttpStatusCode.Forbidden),
            (null, null, null, HttpStatusCode.Unauthorized),
            (null, null, "Bearer ", HttpStatusCode.Unauthorized),
            (null, null, "Bearer " + token[..^1], HttpStatusCode.Unauthorized),
            (null, null, "Bearer " + token + "x", HttpStatusCode.Unauthorized),
            (null, null, "Bearer " + token.ToUpperInvariant(), HttpStatusCode.Unauthorized),
            (null, null, "Basic " + token, HttpStatusCode.Unauthorized),
            (null, null, "Bearer " + new string('a', 10_000), HttpStatusCode.Unauthorized),
        ];
        foreach ((string? host, string? origin, string? authorization, HttpStatusCode expected) in cases)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, run.Url)
            {
                Content = new StringContent("""{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            request.Headers.Host = host;
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin);
            }

            if (authorization is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            }

            using HttpResponseMessage response = await http.SendAsync(request);
            Assert.That(response.StatusCode, Is.EqualTo(expected), $"host {host}, origin {origin}, authorization {authorization?[..Math.Min(20, authorization.Length)]}");
            if (expected != HttpStatusCode.OK)
            {
                Assert.That(await response.Content.ReadAsStringAsync(), Is.Empty);
                Assert.That(response.Headers.Contains("Mcp-Session-Id"), Is.False);
            }
        }

        Assert.That(run.Errors, Has.None.Contains(token), "the token stands in its file only");
        if (!OperatingSystem.IsWindows())
        {
            Assert.That(File.GetUnixFileMode(tokens), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
    }

    [TestCase("2025-11-25")]
    [TestCase("2026-07-28")]
    public async Task Http_TwoCallers_ShareNeitherGrantsNorSessions(string era)
    {
        string tokens = Path.Combine(_work, "tokens");
        await using RunningGateway run = await RunningGateway.StartHttpAsync(
            Policy("""{ "w": { "tools": ["write_file"], "effect": "ask" }, "r": { "tools": ["read_*"], "effect": "allow" } }"""), "--http", "--caller", "ada", "--caller", "bob", "--token-file", tokens);
        Dictionary<string, string> token = await RunningGateway.TokensAsync(tokens);
        Assert.That(token["ada"], Is.Not.EqualTo(token["bob"]));
        Assert.That(token.Values, Has.All.Length.EqualTo(43), "256 bits");
        int asked = 0;
        await using McpClient ada = await run.ConnectAsync(era, token["ada"], new McpClientHandlers { ElicitationHandler = (_, _) => new(Answer("tool")) });
        await using McpClient bob = await run.ConnectAsync(era, token["bob"], new McpClientHandlers
        {
            ElicitationHandler = (form, _) =>
            {
                asked++;
                return new(Answer("no"));
            },
        });

        Assert.That(await WriteAsync(ada, "1.txt"), Does.Contain("Successfully"));
        Assert.That(await WriteAsync(ada, "2.txt"), Does.Contain("Successfully"));
        Assert.That(await WriteAsync(bob, "3.txt"), Does.Contain("[consent-denied]"));
        Assert.That(asked, Is.EqualTo(1));
        Assert.That(await ReadAsync(bob, Path.Combine(_root, "a.txt")), Does.Contain("one"));
        if (ada.SessionId is { } session)
        {
            // Another caller's session is nobody's to use.
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, run.Url)
            {
                Content = new StringContent("""{"jsonrpc":"2.0","id":9,"method":"tools/list"}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Accept.ParseAdd("application/json, text/event-stream");
            request.Headers.Add("Authorization", "Bearer " + token["bob"]);
            request.Headers.Add("Mcp-Session-Id", session);
            using HttpResponseMessage response = await http.SendAsync(request);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        }
    }

    // ---- dry run ----------------------------------------------------------------------------------------------------------------------------

    [Test]
    public async Task DryRun_RulesPassLoudlyAndRecorded_RootsStay()
    {
        string audit = Path.Combine(_work, "trial");
        await using (RunningGateway run = await RunningGateway.StartHttpAsync(
            Policy("""{ "no": { "tools": ["write_file"], "effect": "deny" } }"""), "--http", "--caller", "ada", "--token-file", Path.Combine(_work, "tokens"), "--dry-run", "--audit", audit))
        {
            await using McpClient client = await run.ConnectAsync("2025-11-25", (await RunningGateway.TokensAsync(Path.Combine(_work, "tokens")))["ada"]);
            Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Has.Some.EqualTo("files__write_file"));
            Assert.That(await WriteAsync(client, "dry.txt"), Does.Contain("Successfully"));
            Assert.That(await ReadAsync(client, Path.Combine(_root, "a.txt")), Does.Contain("one"), "what would ask passes");
            Assert.That(await ReadAsync(client, "/etc/passwd"), Does.Contain("[path-outside-roots]"));
            Assert.That(run.Errors, Has.Some.Contains("DRY RUN").And.Some.Contains("would-deny: rule-denied").And.Some.Contains("would-ask"));
        }

        string[] lines = [.. Directory.EnumerateFiles(audit, "*", SearchOption.AllDirectories).Where(file => file.EndsWith(".jsonl", StringComparison.Ordinal)).SelectMany(File.ReadAllLines)];
        JsonNode[] records = [.. lines.Select(line => JsonNode.Parse(line)!).Where(record => record["policy"] is not null)];
        Assert.That(records, Is.Not.Empty);
        string[] unmarked = [.. records.Where(record => !((string)record["policy"]!).StartsWith("dry-run:", StringComparison.Ordinal)).Select(record => record.ToJsonString())];
        Assert.That(unmarked, Is.Empty, "each record is marked");
        Assert.That(lines, Has.Some.Contains("would-deny"));
    }
}
