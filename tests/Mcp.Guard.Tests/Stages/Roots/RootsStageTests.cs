using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Roots;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Paths in the arguments of calls, through the whole guard: what is judged, where relative paths start, what is forwarded, what is said.</summary>
[TestFixture]
[Platform(Exclude = "Win", Reason = "the paths are those of Unix")]
internal sealed class RootsStageTests
{
    private string _root = null!;

    [SetUp]
    public void MakeRoot() => _root = Directory.CreateTempSubdirectory("mcp-guard-roots-stage-").FullName;

    [TearDown]
    public void RemoveRoot() => Directory.Delete(_root, recursive: true);

    [TestCase("""{"path":"{root}/a.txt"}""", "", null)]
    [TestCase("""{"path":"/etc/passwd"}""", "", "'/path': the path lies outside every root")]
    [TestCase("""{"x":["a",{"y":"/etc/passwd"}]}""", "", "'/x/1/y': the path lies outside every root")]
    [TestCase("""{"path":"a.txt"}""", "", "'/path': the path lies outside every root", Description = "where the server starts is not known")]
    [TestCase("""{"path":"a.txt"}""", ",\"paths\":{\"rewrite\":true}", null)]
    [TestCase("""{"path":"../a.txt"}""", ",\"paths\":{\"rewrite\":true}", "'/path': the path lies outside every root")]
    [TestCase("""{"text":"/etc/passwd"}""", ",\"paths\":{\"content\":[\"/text\"]}", null)]
    [TestCase("""{"path":"/etc/passwd"}""", ",\"paths\":{\"detect\":\"declared\"}", null)]
    [TestCase("""{"a":"b"}""", ",\"paths\":{\"detect\":\"declared\",\"arguments\":[\"/a\"]}", "'/a': the path lies outside every root")]
    [TestCase("""{"a":"b"}""", ",\"paths\":[\"/a\"]", "'/a': the path lies outside every root")]
    [TestCase("""{"a":"b"}""", "", null)]
    public async Task Call_PathInArguments_IsJudgedByTheRule(string arguments, string rule, string? why)
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(rule);
        await using McpClient client = await guard.ConnectAsync(server);
        bool failed = await CallAsync(client, arguments.Replace("{root}", _root, StringComparison.Ordinal));
        Assert.That(failed, Is.EqualTo(why is not null));
        Assert.That(server.Calls, Has.Count.EqualTo(why is null ? 1 : 0));
        if (why is not null)
        {
            AuditRecord denial = guard.Audit.Records.Single(record => record.Code == GuardDenialCodes.PathOutsideRoots);
            Assert.That(denial.Reason, Is.EqualTo(why));
        }
    }

    [Test]
    public async Task Call_Rewrite_ForwardsTheNormalisedPathsAndNothingElseChanged()
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(",\"paths\":{\"rewrite\":true}");
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"./x/../b","n":1.50,"deep":{"files":["{{_root}}/c","d"]},"text":"hello"}"""), Is.False);
        Assert.That(
            server.Calls.Single().Params!["arguments"]!.ToJsonString(),
            Is.EqualTo($$"""{"path":"{{_root}}/b","n":1.50,"deep":{"files":["{{_root}}/c","{{_root}}/d"]},"text":"hello"}"""));
        Assert.That((string)server.Calls.Single().Params!["name"]!, Is.EqualTo("echo"));
    }

    [Test]
    public async Task Call_RewriteOfNormalPaths_IsNoChange()
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(",\"paths\":{\"rewrite\":true}");
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/b"}"""), Is.False);
        Assert.That(guard.Audit.Records.SelectMany(record => record.Changes), Has.None.Contain("paths-normalised"));
        Assert.That(await CallAsync(client, """{"path":"b"}"""), Is.False);
        Assert.That(guard.Audit.Records.SelectMany(record => record.Changes), Has.Some.Contain("paths-normalised"));
    }

    [TestCase("", true)]
    [TestCase(",\"paths\":{\"access\":\"read\"}", false)]
    [TestCase(",\"paths\":{\"access\":\"readWrite\"}", true)]
    public async Task Call_RootThatPermitsReading_DeniesToolsThatMayWrite(string rule, bool denied)
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(rule, RootAccess.Read);
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/a"}"""), Is.EqualTo(denied));
        Assert.That(guard.Audit.Records.Any(record => record.Reason == "'/path': the root permits reading only"), Is.EqualTo(denied));
    }

    [Test]
    public async Task Call_PathOfASchemasFormat_IsJudged()
    {
        JsonObject tool = RawServer.Tool("echo", """{"type":"object","properties":{"where":{"type":"string","format":"directory"}}}""");
        var server = new RawServer { Tools = [tool] };
        await using GuardFixture guard = Guard(string.Empty);
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, """{"where":"sub"}"""), Is.True);
        Assert.That(await CallAsync(client, """{"other":"sub"}"""), Is.False);
    }

    [Test]
    public async Task Call_HostsNormaliserDenies_IsDenied()
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(string.Empty, configure: builder => builder.UseRootNormalizer(_ => new Picky()));
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/good"}"""), Is.False);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/bad"}"""), Is.True);
        Assert.That(guard.Audit.Records.Any(record => record.Reason == "'/path': the host's normaliser denies it"), Is.True);
        Assert.That(server.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Call_HostsNormaliserAllows_ForwardsWhatWasSaid()
    {
        var server = new RawServer();
        await using GuardFixture guard = Guard(string.Empty, configure: builder => builder.UseRootNormalizer(_ => new Picky()));
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/x/../good"}"""), Is.False);
        Assert.That((string)server.Calls.Single().Params!["arguments"]!["path"]!, Is.EqualTo(_root + "/x/../good"));
    }

    [TestCase("resources/read", """{"uri":"file://{root}/good"}""", null)]
    [TestCase("resources/read", """{"uri":"file://{root}/bad"}""", "'uri': the host's normaliser denies it")]
    [TestCase("resources/read", """{"uri":"{root}/bad"}""", "'uri': the host's normaliser denies it")]
    [TestCase("resources/read", """{"uri":"/etc/good"}""", "'uri': the path lies outside every root")]
    [TestCase("resources/read", """{"uri":"demo://bad"}""", null)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":[]}}""", null)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["demo://a","file://{root}/good",5]}}""", null)]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["demo://a","/etc/passwd"]}}""", "'uri': the path lies outside every root")]
    [TestCase("subscriptions/listen", """{"notifications":{"resourceSubscriptions":["/etc/passwd","demo://a"]}}""", "'uri': the path lies outside every root")]
    [TestCase("prompts/get", """{"name":"/etc/passwd"}""", null)]
    public async Task Evaluate_Uri_IsJudgedByTheRootsAndByTheHost(string method, string parameters, string? why)
    {
        await using GuardFixture guard = Guard(string.Empty, resources: true);
        GuardDecision decision = await JudgeAsync(guard, method, parameters, new Picky());
        Assert.That((decision.Code, decision.Reason), Is.EqualTo((why is null ? string.Empty : GuardDenialCodes.PathOutsideRoots, why ?? string.Empty)));
    }

    [Test]
    [Platform(Include = "Linux")]
    public async Task Evaluate_GuardsOwnFileByAnotherName_IsDenied()
    {
        await using GuardFixture guard = Guard(string.Empty, resources: true);
        string own = Path.Combine(Directory.CreateDirectory(Path.Combine(guard.Root, "..", "guard")).FullName, "pins.json");
        await File.WriteAllTextAsync(own, "x");
        using (var link = System.Diagnostics.Process.Start("ln", [own, Path.Combine(_root, "twice")]))
        {
            await link.WaitForExitAsync();
        }

        GuardDecision decision = await JudgeAsync(guard, "resources/read", """{"uri":"file://{root}/twice"}""", new RootNormalizer());
        Assert.That(decision.Reason, Is.EqualTo("'uri': the guard's own files are out of reach"));
        var server = new RawServer();
        await using McpClient client = await guard.ConnectAsync(server);
        Assert.That(await CallAsync(client, $$"""{"path":"{{_root}}/twice"}"""), Is.True);
        Assert.That(guard.Audit.Records.Any(record => record.Reason == "'/path': the guard's own files are out of reach"), Is.True);
        Assert.That(server.Calls, Is.Empty);
    }

    [Test]
    [Platform(Include = "Linux")]
    public async Task Evaluate_RootThatWasLedToTheGuardsFolder_OpensNothing()
    {
        Directory.CreateDirectory(Path.Combine(_root, "harmless"));
        string root = Path.Combine(_root, "link");
        Directory.CreateSymbolicLink(root, "harmless");
        await using var guard = new GuardFixture(settings => settings.Root(root));
        string state = Directory.CreateDirectory(Path.Combine(guard.Root, "..", "guard")).FullName;
        Directory.Delete(root);
        Directory.CreateSymbolicLink(root, state); // after the policy was read, before the first call
        GuardDecision decision = await JudgeAsync(guard, "resources/read", $$"""{"uri":"{{root}}/pins.json"}""", new RootNormalizer());
        Assert.That(decision.Reason, Is.EqualTo("'uri': the guard's own files are out of reach"));
    }

    [Test]
    public async Task Subscribe_Resource_IsJudgedLikeARead()
    {
        var server = new RawServer { OnOther = (request, raw) => { raw.Reply(request.Id, new JsonObject()); return Task.CompletedTask; } };
        await using GuardFixture guard = Guard(string.Empty, resources: true);
        await using McpClient client = await guard.ConnectAsync(server);
        foreach ((string uri, bool allowed) in new[] { ($"file://{_root}/a", true), ("file:///etc/passwd", false) })
        {
            string? code = null;
            try
            {
                await client.SendRequestAsync(new JsonRpcRequest { Method = "resources/subscribe", Params = new JsonObject { ["uri"] = uri } });
            }
            catch (McpGuardException refused)
            {
                code = refused.Code;
            }

            Assert.That(code, Is.EqualTo(allowed ? null : GuardDenialCodes.PathOutsideRoots), uri);
        }

        Assert.That(guard.Audit.Records.Any(record => record.Reason == "'uri': the path lies outside every root"), Is.True);
    }

    [Test]
    public void Describe_EveryDenial_HasWordsOfItsOwn()
    {
        string[] texts = [.. Enum.GetValues<PathDenial>().Select(PathDenials.Describe)];
        Assert.That(texts, Is.Unique);
        Assert.That(texts, Is.All.Length.GreaterThan(10));
        Assert.That(PathDenials.Describe((PathDenial)999), Is.EqualTo("the path was not judged"));
    }

    [Test]
    public void For_RuleAndTool_IsCompiledOnceForEachDefinition()
    {
        using JsonDocument schema = JsonDocument.Parse("""{"a":1}""");
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Auto, ["/a", "x"], [], schema.RootElement, out PathArgumentRules? rules, out string problem), Is.False);
        Assert.That((rules, problem), Is.EqualTo((null as PathArgumentRules, "entry 1 is not a JSON Pointer: it must be empty or start with '/', with '~0' for '~' and '~1' for '/'")));
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Declared, [], ["x"], default, out _, out problem), Is.False);
        Assert.That(problem, Does.StartWith("entry 0 is not a JSON Pointer"));
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Declared, ["/a"], [""], default, out rules, out problem), Is.True);
        Assert.That((rules!.Mode, problem), Is.EqualTo((PathArgumentMode.Declared, string.Empty)));
        Assert.That(PathArgumentRules.Default.Mode, Is.EqualTo(PathArgumentMode.Auto));
    }

    [TestCase("path"), TestCase("file-path"), TestCase("filepath"), TestCase("file_path"), TestCase("file"), TestCase("directory"), TestCase("directory-path"), TestCase("folder"), TestCase("uri-file")]
    public void TryCreate_FormatOfAPath_MakesItsPropertyOne(string format) => Assert.Multiple(() =>
    {
        string typed = $$"""{"type":"string","format":"{{format}}"}""";
        foreach (string schema in (string[])
        [
            """{"properties":{"where":TYPED}}""",
            """{"properties":{"where":{"items":TYPED}}}""",
            """{"properties":{"where":{"additionalProperties":TYPED}}}""",
            """{"properties":{"where":{"anyOf":[{"type":"null"},TYPED]}}}""",
            """{"properties":{"where":{"oneOf":[TYPED]}}}""",
            """{"properties":{"where":{"allOf":[TYPED]}}}""",
            """{"properties":{"where":{"prefixItems":[TYPED]}}}""",
            """{"$defs":{"x":{"properties":{"where":TYPED}}}}""",
            """{"definitions":{"x":{"properties":{"where":TYPED}}}}""",
            """{"properties":{"outer":{"properties":{"where":TYPED}}}}""",
        ])
        {
            Assert.That(IsPath(schema.Replace("TYPED", typed, StringComparison.Ordinal), "where"), Is.True, schema);
            Assert.That(IsPath(schema.Replace("TYPED", typed, StringComparison.Ordinal), "x"), Is.False, schema);
        }

        Assert.That(IsPath($$"""{"format":"{{format}}"}""", "where"), Is.False);
        Assert.That(IsPath("""{"properties":{"where":{"not":TYPED}}}""".Replace("TYPED", typed, StringComparison.Ordinal), "where"), Is.False);
        Assert.That(IsPath("""{"properties":{"where":{"format":"date"}}}""", "where"), Is.False);
        Assert.That(IsPath("""{"properties":{"where":{"format":["path"]}}}""", "where"), Is.False);
        Assert.That(IsPath("""{"properties":{"where":{"title":"FORMAT"}}}""".Replace("FORMAT", format, StringComparison.Ordinal), "where"), Is.False);
        Assert.That(IsPath("""{"properties":{"where":{"anyOf":TYPED,"enum":[TYPED]}},"$defs":[]}""".Replace("TYPED", typed, StringComparison.Ordinal), "where"), Is.False);
        Assert.That(IsPath("""{"x-note":{"x":{"properties":{"where":TYPED}}}}""".Replace("TYPED", typed, StringComparison.Ordinal), "where"), Is.False);
        Assert.That(IsPath("""{"$defs":{"where":TYPED}}""".Replace("TYPED", typed, StringComparison.Ordinal), "where"), Is.False, "a definition's name is no argument's");
    });

    [TestCase(32, true)]
    [TestCase(33, false)]
    public void TryCreate_DeepSchema_IsReadUpToItsBound(int depth, bool read)
    {
        const string Inner = """{"properties":{"where":{"format":"path"}}}""";
        foreach ((string open, string close) in new[] { ("{\"items\":", "}"), ("{\"anyOf\":[", "]}"), ("{\"$defs\":{\"x\":", "}}") })
        {
            string schema = string.Concat(Enumerable.Repeat(open, depth - 1)) + Inner + string.Concat(Enumerable.Repeat(close, depth - 1));
            Assert.That(IsPath(schema, "where"), Is.EqualTo(read), open);
        }
    }

    [TestCase(9_999, true)]
    [TestCase(10_000, false)]
    public void TryCreate_LargeSchema_IsReadUpToItsBound(int properties, bool read)
    {
        string others = string.Concat(Enumerable.Range(1, properties - 1).Select(static i => $"\"p{i}\":{{}},"));
        Assert.That(IsPath("{\"properties\":{" + others + "\"where\":{\"format\":\"path\"}}}", "where"), Is.EqualTo(read));
    }

    private static bool IsPath(string schema, string name)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 512 });
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Auto, [], [], document.RootElement, out PathArgumentRules? rules, out _), Is.True);
        using JsonDocument arguments = JsonDocument.Parse($$"""{"{{name}}":"$HOME"}""");
        RootSet roots = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null);
        return PathArgumentCheck.FindDenied(arguments.RootElement, rules!, roots, null, writes: false, found: null) is not null;
    }

    private GuardFixture Guard(string rule, RootAccess access = RootAccess.ReadWrite, Action<McpGuardBuilder>? configure = null, bool resources = false) => new(
        settings =>
        {
            settings.Allow("all", built =>
            {
                built.Tools("echo").RateLimit(1_000, TimeSpan.FromSeconds(1));
                using JsonDocument parts = JsonDocument.Parse("{" + rule.TrimStart(',') + "}");
                foreach (JsonProperty member in parts.RootElement.EnumerateObject())
                {
                    built.With(member.Name, member.Value.GetRawText());
                }
            });
            if (resources)
            {
                settings.Allow("resources", built => built.Resources("*"));
            }

            settings.Root(_root, access);
        },
        configure);

    private async Task<GuardDecision> JudgeAsync(GuardFixture guard, string method, string parameters, IRootNormalizer normalizer)
    {
        byte[] text = Encoding.UTF8.GetBytes(parameters.Replace("{root}", _root, StringComparison.Ordinal));
        var context = (RequestContext)guard.Guard.OpenConnection("test").CreateRequest(method, text, new GuardCaller("ada", "s1"));
        return await new RootsStage(normalizer, new ResourceUriCheck(normalizer)).EvaluateAsync(context, default);
    }

    private static async Task<bool> CallAsync(McpClient client, string arguments)
    {
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "tools/call",
            Params = new JsonObject { ["name"] = "echo", ["arguments"] = JsonNode.Parse(arguments) },
        });
        return (bool?)response.Result!["isError"] == true;
    }

    /// <summary>A host's normaliser that denies one name.</summary>
    private sealed class Picky : IRootNormalizer
    {
        private readonly RootNormalizer _inner = new();

        public RootDecision Normalize(string input, RootInputKind kind, IReadOnlyList<GuardRoot> roots, string? baseDirectory = null) =>
            input.EndsWith("bad", StringComparison.Ordinal) ? RootDecision.Deny("bad") : _inner.Normalize(input, kind, roots, baseDirectory);

        public Stream OpenRead(in RootDecision decision) => _inner.OpenRead(decision);

        public Stream OpenWrite(in RootDecision decision) => _inner.OpenWrite(decision);
    }
}
