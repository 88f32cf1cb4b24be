using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Roots;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Resources that name files: in requests and in results, through the same rules.</summary>
[TestFixture]
internal sealed class ResourceUriTests
{
    [TestCase("file:///etc/passwd")]
    [TestCase("FILE:///etc/passwd")]
    [TestCase("file:/etc/passwd")]
    [TestCase(" file:///etc/passwd")]
    [TestCase("file://evil.example{root}/a.txt")]
    [TestCase("file://{root}/../x")]
    [TestCase("file://{root}/%2e%2e/x")]
    [TestCase("file://{root}/a%252f..%252f..%252fx")]
    [TestCase("/etc/passwd")]
    [TestCase("../x")]
    [TestCase("~/.ssh/id_rsa")]
    [TestCase("C:/Windows/win.ini")]
    [TestCase("\\\\host\\share\\x")]
    [TestCase("jar:file:///etc/x.jar!/y")]
    [TestCase("view-source:file:///etc/passwd")]
    [TestCase("view-source://file:///etc/passwd")]
    [TestCase("fi\tle:///etc/passwd", Description = "readers of URLs drop tabs and line ends (WHATWG URL)")]
    [TestCase("view-source:jar:fi\tle:///etc/x.jar!/y")]
    public async Task ToolResult_ResourceOutsideTheRoots_IsDenied(string uri)
    {
        foreach (bool embedded in new[] { false, true })
        {
            string text = await CallAsync(uri, embedded);
            Assert.That(text, Does.Contain("[path-outside-roots]").And.Not.Contain("leaked"), $"embedded {embedded}");
        }
    }

    [TestCase("file://{root}/a.txt")]
    [TestCase("file://{root}/sub/new%20file.txt")]
    [TestCase("demo://resource/1")]
    [TestCase("https://example.com/a/../b")]
    [TestCase("notes")]
    [TestCase("-notes")]
    [TestCase("demo://host/a?next=file:x")]
    public async Task ToolResult_ResourceInsideOrNoFile_Passes(string uri)
    {
        foreach (bool embedded in new[] { false, true })
        {
            Assert.That(await CallAsync(uri, embedded), Does.Contain("leaked"), $"embedded {embedded}");
        }
    }

    [TestCase("file:///etc/passwd", false)]
    [TestCase("/etc/passwd", false)]
    [TestCase("jar:file:///etc/passwd", false)]
    [TestCase("file://{root}/a.txt", true)]
    [TestCase("demo://x", true)]
    public async Task ReadResource_Uri_IsJudgedBeforeItIsSent(string uri, bool allowed)
    {
        var server = new RawServer();
        await using var guard = new GuardFixture(GuardFixture.AllowAll());
        await using var rooted = new GuardFixture(settings => settings.Root(guard.Root));
        await using McpClient client = await rooted.ConnectAsync(server);
        Exception? fault = null;
        try
        {
            await client.SendRequestAsync(new JsonRpcRequest { Method = "resources/read", Params = new JsonObject { ["uri"] = uri.Replace("{root}", guard.Root, StringComparison.Ordinal) } });
        }
        catch (Exception caught)
        {
            fault = caught;
        }

        // The server knows no resources: what passes comes back as its own error, never as one of the guard's.
        Assert.That((fault as McpGuardException)?.Code, Is.EqualTo(allowed ? null : GuardDenialCodes.PathOutsideRoots), fault?.ToString());
    }

    [TestCase("file:///etc/passwd", true)]
    [TestCase("fi\tle:///etc/passwd", true, Description = "readers of URLs drop tabs and line ends (WHATWG URL)")]
    [TestCase("f\ni\nl\re:///etc/passwd", true)]
    [TestCase("\u0001 file:///etc/passwd", true, Description = "and what stands in front")]
    [TestCase("file:///srv/pro\nject/../../etc", true)]
    [TestCase(" jar:file:///etc/x.jar!/y", true)]
    [TestCase("jar:jar:file:///etc/x.jar!/y.jar!/z", true)]
    [TestCase("view-source:jar:nested:file:///etc/x", true)]
    [TestCase("x:file:///etc/passwd", true)]
    [TestCase("jar: file:///etc/passwd", true)]
    [TestCase("/etc/passwd", true)]
    [TestCase("~/x", true)]
    [TestCase("", false)]
    [TestCase("-notes", false)]
    [TestCase("demo://host/a?next=file:x", false)]
    [TestCase("https://example.com/?from=file:///etc/passwd", false)]
    [TestCase("https://localhost:8080/file:/x", false)]
    [TestCase("urn:profile:x", false)]
    [TestCase("a b: c", false)]
    public async Task Judge_Uri_IsDeniedInEverySpellingOfAFile(string uri, bool denied)
    {
        await using var guard = new GuardFixture(settings => settings.Root("/srv/project"));
        var context = (RequestContext)guard.Guard.OpenConnection("test").CreateRequest("resources/read", """{"uri":"a:b"}"""u8.ToArray(), new GuardCaller("ada", "s1"));
        Assert.That(new ResourceUriCheck(new RootNormalizer()).Judge(context.Settings!, context.Policy, uri) is not null, Is.EqualTo(denied));
    }

    [TestCase("""{"content":[{"type":"resource_link","uri":"/etc/passwd"}]}""", true)]
    [TestCase("""{"content":[{"type":"resource","resource":{"uri":"/etc/passwd"}}]}""", true)]
    [TestCase("""{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"/etc/passwd"}}}]}""", true)]
    [TestCase("""{"messages":[{"role":"user","content":[{"type":"resource_link","uri":"/etc/passwd"}]}]}""", true)]
    [TestCase("""{"contents":[{"uri":"demo://a"},{"uri":"file:///etc/passwd"}]}""", true)]
    [TestCase("""{"content":[{"u\u0072i":"/etc/passwd"}]}""", true)]
    [TestCase("""{"content":["uri",5,null,{"uri":"demo://a"}]}""", false)]
    [TestCase("""{"content":"uri"}""", false)]
    [TestCase("""{"content":[{"uri":5},{"uri":{"uri":"/x"}}]}""", false)]
    [TestCase("""{"content":[{"name":"/etc/passwd","uri":"demo://a","_meta":{"uri":"/etc/passwd"}}]}""", false)]
    [TestCase("""{"structuredContent":{"uri":"/etc/passwd"}}""", false)]
    [TestCase("""["uri"]""", false)]
    [TestCase("\"uri\"", false)]
    public async Task Evaluate_Result_IsDeniedForEveryResourceOutside(string result, bool denied)
    {
        GuardDecision decision = await JudgeResultAsync(result, isError: false);
        Assert.That((decision.Kind, decision.Code), Is.EqualTo(denied ? (GuardDecisionKind.Deny, GuardDenialCodes.PathOutsideRoots) : (GuardDecisionKind.Continue, string.Empty)), decision.Reason);
        Assert.That((await JudgeResultAsync(result, isError: true)).Kind, Is.EqualTo(GuardDecisionKind.Continue), "an error has no resources");
    }

    [TestCase(6)]
    [TestCase(7)]
    [TestCase(8)]
    [TestCase(20)]
    public async Task Evaluate_ResourceInAResource_IsDeniedHoweverDeepItLies(int depth)
    {
        string nested = string.Concat(Enumerable.Repeat("{\"resource\":", depth)) + "{\"uri\":\"/etc/passwd\"}" + new string('}', depth);
        GuardDecision decision = await JudgeResultAsync("{\"content\":[" + nested + "]}", isError: false);
        Assert.That(decision.Code, Is.EqualTo(GuardDenialCodes.PathOutsideRoots));
    }

    [TestCase("{\"resource\":", "}", 7, false)]
    [TestCase("{\"resource\":", "}", 8, true)]
    [TestCase("{\"content\":", "}", 8, true)]
    [TestCase("[", "]", 7, false)]
    [TestCase("[", "]", 8, true)]
    public async Task Evaluate_ValuesNestedDeeperThanContent_AreDeniedUnseen(string open, string close, int depth, bool denied)
    {
        string nested = string.Concat(Enumerable.Repeat(open, depth)) + "{\"uri\":\"demo://a\"}" + string.Concat(Enumerable.Repeat(close, depth));
        GuardDecision decision = await JudgeResultAsync("{\"content\":[" + nested + "]}", isError: false);
        Assert.That(decision.Reason, Is.EqualTo(denied ? "a resource of the result: it lies deeper than any content block" : string.Empty));
    }

    private static async Task<GuardDecision> JudgeResultAsync(string result, bool isError)
    {
        await using var guard = new GuardFixture(settings => settings.Root("/srv/project"));
        var context = (RequestContext)guard.Guard.OpenConnection("test").CreateRequest("resources/read", """{"uri":"a:b"}"""u8.ToArray(), new GuardCaller("ada", "s1"));
        using JsonDocument document = JsonDocument.Parse(result);
        return await new ResultResourcesStage(new ResourceUriCheck(new RootNormalizer())).EvaluateAsync(new ResultContext(context, document.RootElement, isError), default);
    }

    private static async Task<string> CallAsync(string uri, bool embedded)
    {
        await using var folder = new GuardFixture(GuardFixture.AllowAll());
        string named = uri.Replace("{root}", folder.Root, StringComparison.Ordinal);
        var resource = new JsonObject { ["uri"] = named, ["text"] = "leaked" };
        JsonObject block = embedded
            ? new JsonObject { ["type"] = "resource", ["resource"] = resource }
            : new JsonObject { ["type"] = "resource_link", ["uri"] = named, ["name"] = "leaked" };
        var server = new RawServer
        {
            OnCall = (request, raw, _) =>
            {
                raw.Reply(request.Id, new JsonObject { ["content"] = new JsonArray(block.DeepClone()) });
                return Task.CompletedTask;
            },
        };
        await using var guard = new GuardFixture(settings =>
        {
            GuardFixture.AllowAll("echo")(settings);
            settings.Root(folder.Root);
        });
        await using McpClient client = await guard.ConnectAsync(server);
        await client.ListToolsAsync();
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest
        {
            Method = "tools/call",
            Params = new JsonObject { ["name"] = "echo", ["arguments"] = new JsonObject() },
        });
        return response.Result!.ToJsonString();
    }
}
