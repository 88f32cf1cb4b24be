using System.Text.Json.Nodes;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Tests.Policy;
using Mcp.Guard.Tests.Stages.ToolPinning;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.Catalog;

/// <summary>What the audit tells of a list and of each tool in it, and what of a review.</summary>
[TestFixture]
internal sealed class CatalogAuditTests
{
    [Test]
    public async Task List_FirstSight_RecordsEachToolAndThePage()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo"), RawServer.Tool("other"), RawServer.Tool("Other")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        AuditRecord[] records = [.. guard.Audit.OfKind(AuditKind.Catalog).Where(record => record.Method == "tools/list")];
        AuditRecord page = records.Single(record => record.Target is null);
        Assert.Multiple(() =>
        {
            Assert.That(records.Where(record => record.Target is not null).Select(record => (record.Target, record.Decision, record.Code, record.Reason)), Is.EquivalentTo(new (string?, string?, string?, string?)[]
            {
                ("echo", "known", null, "shown to the model"),
                ("other", "known", "name-collision", "hidden: its name is refused (Twin)"),
                ("Other", "known", "name-collision", "hidden: its name is refused (Twin)"),
            }));
            Assert.That((page.Decision, page.Reason), Is.EqualTo(("pinned", "3 tools, 3 of them pinned; 2 refused for the name (Twin) (other, Other)")));
            Assert.That(records.Select(record => record.Server), Is.All.EqualTo("test"));
            Assert.That(records.Select(record => record.DecisionId).Distinct().Count(), Is.EqualTo(1));
            Assert.That(records.Select(record => record.SessionId), Is.All.Not.Null.And.All.EqualTo(page.SessionId));
            Assert.That(records.Select(record => record.PolicyRevision), Is.All.EqualTo(guard.Host.Runtime.Policy.Current.Revision));
            Assert.That(records.Where(record => record.Target is not null).Select(record => record.Fingerprint), Is.All.Length.EqualTo(64));
        });
    }

    [Test]
    public async Task List_AsItWas_RecordsNothingAnew()
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        int before = guard.Audit.OfKind(AuditKind.Catalog).Count;
        await client.ListToolsAsync();
        Assert.That(guard.Audit.OfKind(AuditKind.Catalog).Count, Is.EqualTo(before));
    }

    [Test]
    public async Task List_LaterChanges_AreTold()
    {
        var server = new RawServer { Tools = [RawServer.Tool("changed"), RawServer.Tool("same")] };
        await using var guard = new GuardFixture(settings =>
        {
            GuardFixture.AllowAll()(settings);
            settings.Deny("no", "denied");
        });
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        int before = guard.Audit.Records.Count;
        JsonObject broken = RawServer.Tool("broken");
        broken["inputSchema"] = new JsonObject { ["type"] = "nonsense" };
        JsonObject flagged = RawServer.Tool("flagged");
        flagged["description"] = "x\u200By";
        server.Tools[0]!["description"] = "Second.";
        server.Tools = [server.Tools[0]!.DeepClone(), RawServer.Tool("same"), RawServer.Tool("new"), RawServer.Tool("denied"), broken, flagged, new JsonObject { ["description"] = "no name" }];

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo(new[] { "same", "new", "flagged" }));
        AuditRecord[] records = [.. guard.Audit.Records.Skip(before).Where(record => record is { Kind: AuditKind.Catalog, Method: "tools/list" })];
        Assert.Multiple(() =>
        {
            Assert.That(records.Where(record => record.Target is not null).Select(record => (record.Target, record.Decision, record.Code, Reason: record.Reason!.Split(" (")[0])), Is.EquivalentTo(new (string?, string?, string?, string)[]
            {
                ("changed", "changed", "tool-changed", "hidden: it is not as it was approved"),
                ("new", "new", null, "shown to the model"),
                ("denied", "new", "rule-denied", "hidden: the policy denies it"),
                ("broken", "new", "schema-refused", "hidden: its schema is refused"),
                ("flagged", "new", null, "shown to the model; flagged hidden-unicode"),
            }));
            Assert.That(records.Single(record => record.Target is null).Decision, Is.EqualTo("listed"));
            Assert.That(records.Single(record => record.Target is null).Reason, Is.EqualTo(
                "6 tools, 1 of them pinned; 1 changed and hidden (changed); 1 flagged hidden-unicode (flagged); 4 new (new, denied, broken, flagged); 1 unreadable"));
        });
    }

    [Test]
    public async Task List_ManyNewTools_NamesTheFirstEight()
    {
        var server = new RawServer { Tools = [RawServer.Tool("first")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools = [.. Enumerable.Range(0, 8).Select(i => (JsonNode)RawServer.Tool($"tool_{(char)('a' + i)}"))];
        await client.ListToolsAsync();
        Assert.That(Last(guard), Is.EqualTo("8 tools, 0 of them pinned; 8 new (tool_a, tool_b, tool_c, tool_d, tool_e, tool_f, tool_g, tool_h)"));
        server.Tools.Add((JsonNode)RawServer.Tool("tool_i"));
        await client.ListToolsAsync();
        Assert.That(Last(guard), Is.EqualTo("9 tools, 0 of them pinned; 9 new (tool_a, tool_b, tool_c, tool_d, tool_e, tool_f, tool_g, tool_h, ...)"));
    }

    [Test]
    public async Task List_PinsOutOfReach_SaysSo()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll(), builder => builder.UsePinStore(_ => new UnreachablePinStore()));
        await using McpClient client = await guard.ConnectAsync(new RawServer { Tools = [RawServer.Tool("echo")] });
        await client.ListToolsAsync();
        AuditRecord tool = guard.Audit.OfKind(AuditKind.Catalog).Single(record => record.Target == "echo");
        Assert.That((tool.Decision, tool.Code), Is.EqualTo(("pins-out-of-reach", "tool-changed")));
        Assert.That(Last(guard), Is.EqualTo("1 tools, 0 of them pinned; 1 hidden because the pins are out of reach (echo)"));
    }

    [Test]
    public async Task List_RefusedTool_SaysSo()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools.Add((JsonNode)RawServer.Tool("late"));
        await client.ListToolsAsync();
        await guard.Guard.Reviews.RefuseAsync(guard.Guard.Reviews.List().Single().Id, "admin");
        await client.ListToolsAsync();
        AuditRecord tool = guard.Audit.OfKind(AuditKind.Catalog).Last(record => record.Target == "late" && record.Method == "tools/list");
        Assert.That((tool.Decision, tool.Code), Is.EqualTo(("refused", "tool-changed")));
        Assert.That(Last(guard), Is.EqualTo("2 tools, 1 of them pinned; 1 refused by a person (late)"));
    }

    [TestCase("known", "Pinned", true)]
    [TestCase("new", "New", true)]
    [TestCase("changed", "Changed", true)]
    [TestCase("refused", "Refused", true)]
    [TestCase("pins-out-of-reach", "Unavailable", true)]
    [TestCase("approve", "Pinned", false)]
    [TestCase("refuse", "Refused", false)]
    [TestCase("pinned", null, false)]
    [TestCase("", null, false)]
    public void StateOf_Decision_IsThatOfTheTool(string decision, string? state, bool listing)
    {
        Assert.That(CatalogRecords.StateOf(decision)?.ToString(), Is.EqualTo(state));
        Assert.That(CatalogRecords.IsListing(decision), Is.EqualTo(listing));
    }

    [Test]
    public async Task Reviews_List_IsByServerAndNameAndOnlyOfTheServerAskedFor()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll(), policy: policy => policy.Server("another", settings => settings.HostProvided()));
        var first = new RawServer { Tools = [RawServer.Tool("b")] };
        var second = new RawServer { Tools = [RawServer.Tool("z")] };
        await using McpClient one = await guard.ConnectAsync(first);
        await using McpClient two = await McpClient.CreateAsync(guard.Guard.Protect("another", second));
        await one.ListToolsAsync();
        await two.ListToolsAsync();
        first.Tools = [RawServer.Tool("b"), RawServer.Tool("d"), RawServer.Tool("c")];
        second.Tools = [RawServer.Tool("z"), RawServer.Tool("y")];
        await one.ListToolsAsync();
        await two.ListToolsAsync();

        Assert.That(guard.Guard.Reviews.List().Select(review => (review.ServerId, review.ToolName)), Is.EqualTo(new[] { ("another", "y"), ("test", "c"), ("test", "d") }));
        Assert.That(guard.Guard.Reviews.List("another").Select(review => review.ToolName), Is.EqualTo(new[] { "y" }));
        Assert.That(guard.Guard.Reviews.List("Another"), Is.Empty);
        ToolReview review = guard.Guard.Reviews.List("another").Single();
        Assert.Multiple(() =>
        {
            Assert.That(review.Id, Does.Match("^[0-9a-f]{32}$"));
            Assert.That((review.Kind, review.CanApprove, review.Before, review.OmittedChanges), Is.EqualTo((ToolReviewKind.New, true, null as string, 0)));
            Assert.That(review.After, Does.StartWith("{\"description\":\"The tool y.\""));
            Assert.That(review.Fingerprint, Has.Length.EqualTo(64));
        });
        Assert.That(guard.Guard.Reviews.List("another").Single().SeenAt, Is.EqualTo(review.SeenAt));
        await two.ListToolsAsync();
        Assert.That(guard.Guard.Reviews.List("another").Single().SeenAt, Is.EqualTo(review.SeenAt), "the same definition waits since it was first seen");
    }

    [Test]
    public async Task Reviews_ToolThatIsAsItWasAgain_WaitsNoLonger()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools[0]!["description"] = "Second.";
        await client.ListToolsAsync();
        Assert.That(guard.Guard.Reviews.List(), Has.Count.EqualTo(1));
        server.Tools = [RawServer.Tool("echo")];
        await client.ListToolsAsync();
        Assert.That(guard.Guard.Reviews.List(), Is.Empty);
        Assert.That((await client.CallToolAsync("echo")).IsError, Is.Not.True);
    }

    [Test]
    public async Task Reviews_Decision_NeedsAnIdAndAName()
    {
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        IToolReviews reviews = guard.Guard.Reviews;
        Assert.Multiple(() =>
        {
            Assert.That(async () => await reviews.ApproveAsync(null!, "admin"), Throws.ArgumentNullException);
            Assert.That(async () => await reviews.RefuseAsync(null!, "admin"), Throws.ArgumentNullException);
            Assert.That(async () => await reviews.ApproveAsync("x", " "), Throws.ArgumentException);
            Assert.That(async () => await reviews.RefuseAsync("x", null!), Throws.ArgumentNullException);
        });
        Assert.That(await reviews.ApproveAsync("x", "admin"), Is.False);
        Assert.That(await reviews.RefuseAsync("x", "admin"), Is.False);
    }

    [TestCase(256)]
    [TestCase(257)]
    public async Task Reviews_LongNameOfTheReviewer_IsRecordedUpToItsBound(int length)
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools[0]!["description"] = "Second.";
        await client.ListToolsAsync();
        Assert.That(await guard.Guard.Reviews.RefuseAsync(guard.Guard.Reviews.List().Single().Id, new string('x', length)), Is.True);
        AuditRecord record = guard.Audit.OfKind(AuditKind.Catalog).Single(entry => entry.Decision == "refuse");
        Assert.That((record.AnsweredBy, record.Reason, record.Server, record.Target), Is.EqualTo((new string('x', 256), "Changed", "test", "echo")));
    }

    [Test]
    public async Task Reviews_RefusalThatCannotBeRecorded_RefusesNothing()
    {
        var server = new RawServer { Tools = [RawServer.Tool("echo")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        server.Tools.Add((JsonNode)RawServer.Tool("late"));
        await client.ListToolsAsync();
        guard.Audit.Before = (record, _) => record.Decision == "refuse" ? throw new IOException("full") : ValueTask.CompletedTask;
        string id = guard.Guard.Reviews.List().Single().Id;
        Assert.That(async () => await guard.Guard.Reviews.RefuseAsync(id, "admin"), Throws.InstanceOf<McpGuardException>().With.Property("Code").EqualTo("audit-unavailable"));
        Assert.That(guard.Guard.Reviews.List(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task List_MissingOrTooLong_IsRefused()
    {
        JsonObject answer = [];
        var server = new RawServer { OnList = _ => (JsonObject)answer.DeepClone() };
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using McpClient client = await guard.ConnectAsync(server);

        async Task<McpGuardException?> ListAsync()
        {
            try
            {
                await client.SendRequestAsync(new JsonRpcRequest { Method = "tools/list", Params = new JsonObject() });
                return null;
            }
            catch (McpGuardException refused)
            {
                return refused;
            }
        }

        Assert.That((await ListAsync())?.Code, Is.EqualTo("result-invalid"));
        answer["tools"] = "x";
        Assert.That((await ListAsync())?.Code, Is.EqualTo("result-invalid"));
        answer["tools"] = new JsonArray([.. Enumerable.Range(0, 2_001).Select(i => (JsonNode)RawServer.Tool($"tool_{i}"))]);
        Assert.That((await ListAsync())?.Code, Is.EqualTo("result-too-large"));
        answer["tools"] = new JsonArray();
        Assert.That(await ListAsync(), Is.Null);
    }

    [TestCase("ask", "ask", "Ask")]
    [TestCase("deny", "report", "Deny")]
    [TestCase("report", "deny", "Deny")]
    [TestCase("report", "ask", "Ask")]
    [TestCase("report", "report", "Report")]
    public void ActionOf_SeveralFindings_IsTheStrictest(string bidi, string control, string expected)
    {
        ServerSettings settings = PolicyTexts.Read(
            PolicyTexts.Server($"\"flags\":{{\"bidi\":\"{bidi}\",\"control\":\"{control}\",\"terminal\":\"deny\"}}")).Servers["s"];
        Assert.That(CatalogStage.ActionOf(settings, ContentFindings.Bidi | ContentFindings.Control).ToString(), Is.EqualTo(expected));
        Assert.That(CatalogStage.ActionOf(settings, ContentFindings.None).ToString(), Is.EqualTo("Report"));
    }

    private static string? Last(GuardFixture guard) => guard.Audit.OfKind(AuditKind.Catalog).Last(record => record is { Method: "tools/list", Target: null }).Reason;
}
