using System.Buffers;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.Roots;

[TestFixture]
internal sealed class PathArgumentTests
{
    private static readonly RootSet Roots = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null);

    [TestCase("""{"path":"a.txt"}""", null)]
    [TestCase("""{"path":"../a.txt"}""", "/path")]
    [TestCase("""{"x":"/etc/passwd"}""", "/x")]
    [TestCase("""{"x":" /etc/passwd\n"}""", "/x")]
    [TestCase("""{"x":"\u002fetc"}""", "/x")]
    [TestCase("""{"x":"file:///etc/passwd"}""", "/x")]
    [TestCase("""{"x":"FILE:///srv/project/a"}""", null)]
    [TestCase("""{"x":"a/../../b"}""", "/x")]
    [TestCase("""{"x":"~/.ssh/id_rsa"}""", "/x")]
    [TestCase("""{"x":"%2e%2e%2fb"}""", "/x")]
    [TestCase("""{"x":"\uff0e\uff0e/b"}""", "/x")]
    [TestCase("""{"x":"C:\\Windows"}""", "/x")]
    [TestCase("""{"x":["ok",{"y":"/etc"}]}""", "/x/1/y")]
    [TestCase("""{"paths":["a","../../b"]}""", "/paths/1")]
    [TestCase("""{"/etc/passwd":1}""", "/~1etc~1passwd")]
    [TestCase("""{"sourceFile":"$HOME"}""", "/sourceFile")]
    [TestCase("""{"source\u0046ile":"$HOME"}""", "/sourceFile")] // a name reads the same however it is spelled
    [TestCase("""{"\u00e9path":"../b"}""", "/\u00e9path")]
    [TestCase("""{"épath":"$HOME"}""", "/\u00e9path")]
    [TestCase("""{"x":"a\u002f..\u002f..\u002fb"}""", "/x")]
    [TestCase("""{"x":"/etc/a\n/etc/b"}""", "/x")]
    [TestCase("""{"content":"// a comment\nint x;"}""", null)]
    [TestCase("""{"x":"see ../readme for more"}""", null)]
    [TestCase("""{"x":"100% sure: yes/no..."}""", null)]
    [TestCase("""{"profile":"$x"}""", null)]
    [TestCase("""{"query":"SELECT 1","n":5,"b":true,"z":null}""", null)]
    [TestCase("""{"path":""}""", null)]
    [TestCase("""{"a":"/etc/a","b":"/etc/b"}""", "/a")]
    [TestCase("\"../x\"", "")]
    public void FindDenied_Automatic_TakesWhatIsNamedOrLooksLikeAPath(string arguments, string? pointer)
    {
        using JsonDocument document = JsonDocument.Parse(arguments);
        PathArgument? denied = PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, Roots, null, writes: true, found: null);
        Assert.That(denied?.Pointer, Is.EqualTo(pointer));
    }

    [Test]
    public void FindDenied_DeclaredAndContentPointers_DecideBeforeTheLook()
    {
        using JsonDocument document = JsonDocument.Parse("""{"edits":[{"text":"/x"},{"text":"/y"}],"target":"../t"}""");
        PathArgumentRules rules = Rules(PathArgumentMode.Auto, [], ["/edits/*/text", "/target"]);
        Assert.That(Check(rules), Is.Null);
        Assert.That(Check(Rules(PathArgumentMode.Auto, ["/target"], ["/edits/*/text", "/target"]))?.Pointer, Is.EqualTo("/target"));
        Assert.That(Check(Rules(PathArgumentMode.Declared, [], [])), Is.Null);
        Assert.That(Check(Rules(PathArgumentMode.Declared, ["/edits/1"], []))?.Pointer, Is.EqualTo("/edits/1/text"));

        PathArgument? Check(PathArgumentRules given) => PathArgumentCheck.FindDenied(document.RootElement, given, Roots, null, writes: false, found: null);
    }

    [Test]
    public void FindDenied_SchemaFormat_MakesANameAPath()
    {
        using JsonDocument schema = JsonDocument.Parse(
            """{"properties":{"where":{"type":"array","items":{"type":"string","format":"path"}}}}""");
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Auto, [], [], schema.RootElement, out PathArgumentRules? rules, out _), Is.True);
        using JsonDocument document = JsonDocument.Parse("""{"where":["$HOME"]}""");
        Assert.That(PathArgumentCheck.FindDenied(document.RootElement, rules!, Roots, null, false, null)?.Pointer, Is.EqualTo("/where/0"));
        Assert.That(PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, Roots, null, false, null), Is.Null);
    }

    [TestCase("path")]
    [TestCase("/a~2")]
    [TestCase("/a~")]
    public void TryCreate_BadPointer_IsAnError(string pointer)
    {
        Assert.That(PathArgumentRules.TryCreate(PathArgumentMode.Auto, [pointer], [], default, out _, out string problem), Is.False);
        Assert.That(problem, Does.Contain("JSON Pointer"));
    }

    [Test]
    public void FindDenied_TooDeep_Denies()
    {
        string text = new string('[', 200) + new string(']', 200);
        using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
        Assert.That(PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, Roots, null, false, null), Is.Not.Null);
    }

    [Test]
    public void FindDenied_ReadOnlyRoot_DeniesToolsThatWrite()
    {
        RootSet roots = RootSet.Create([new GuardRoot("/srv/project", RootAccess.Read)], PathFlavor.Unix, links: null);
        using JsonDocument document = JsonDocument.Parse("""{"path":"a"}""");
        Assert.That(PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, roots, null, writes: false, null), Is.Null);
        Assert.That(
            PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, roots, null, writes: true, null)!.Value.Verdict.Denial,
            Is.EqualTo(PathDenial.ReadOnlyRoot));
    }

    [Test]
    [Platform(Include = "Linux")]
    public void FindDenied_GuardsOwnFile_IsDeniedUnderEachOfItsNames()
    {
        string folder = Directory.CreateTempSubdirectory("mcp-guard-own-").FullName;
        try
        {
            string state = Directory.CreateDirectory(Path.Combine(folder, "project", "state")).FullName;
            File.WriteAllText(Path.Combine(state, "pins.json"), "x");
            File.WriteAllText(Path.Combine(folder, "project", "mine"), "x");
            using (var link = System.Diagnostics.Process.Start("ln", [Path.Combine(state, "pins.json"), Path.Combine(folder, "project", "twice")]))
            {
                link.WaitForExit();
            }

            RootSet roots = RootSet.Create([new GuardRoot(Path.Combine(folder, "project"))], PathFlavor.Unix);
            var own = new Mcp.Guard.Policy.ProtectedPaths([new Mcp.Guard.Policy.ProtectedPath(state, IsDirectory: true, "state")]);
            foreach ((string name, bool denied) in new[] { ("mine", false), ("twice", true), ("state/pins.json", true), ("state", true), (".", true) })
            {
                using JsonDocument document = JsonDocument.Parse($$"""{"path":"{{name}}"}""");
                PathArgument? found = PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, roots, null, writes: false, found: null, own);
                Assert.That(found?.Verdict.Denial, Is.EqualTo(denied ? (PathDenial?)PathDenial.GuardFile : null), name);
                Assert.That(PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, roots, null, writes: false, found: null), Is.Null, name);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void WriteRewritten_FoundPaths_AreReplacedAndTheRestKept()
    {
        using JsonDocument document = JsonDocument.Parse("""{"path":"./a/../b","n":1.50,"files":["c","file:///srv/project/d"],"text":"x\u0041","a/b~":{"path":"e"}}""");
        var found = new List<PathArgument>();
        Assert.That(PathArgumentCheck.FindDenied(document.RootElement, PathArgumentRules.Default, Roots, null, true, found), Is.Null);
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            PathArgumentCheck.WriteRewritten(document.RootElement, found, writer);
        }

        Assert.That(Encoding.UTF8.GetString(output.WrittenSpan), Is.EqualTo(
            """{"path":"/srv/project/b","n":1.50,"files":["/srv/project/c","/srv/project/d"],"text":"x\u0041","a/b~":{"path":"/srv/project/e"}}"""));
    }

    [TestCase("""{"url":"https://api.example.com/x"}""", null)]
    [TestCase("""{"url":"https://evil.example/"}""", "/url")]
    [TestCase("""{"url":"evil.example"}""", "/url")]
    [TestCase("""{"x":{"y":[" \thttp://169.254.169.254/"]}}""", "/x/y/0")]
    [TestCase("""{"x":"ht\ntps://evil.example/"}""", "/x")]
    [TestCase("""{"x":"\\\\evil.example/"}""", "/x")]
    [TestCase("""{"x":"gopher://evil.example/"}""", "/x")]
    [TestCase("""{"x":"file:///srv/project/a"}""", null)]
    [TestCase("""{"x":"a note: https://evil.example/ is bad"}""", null)]
    [TestCase("""{"x":"key: value"}""", null)]
    [TestCase("""{"x":"plain","y":"https://evil.example/"}""", "/y")]
    [TestCase("""{"url":"https://api.example.com/x","y":"https://evil.example/"}""", "/y")]
    [TestCase("""{"declared":"evil.example"}""", "/declared")]
    [TestCase("""{"declared":{"x":["a/b"]}}""", "/declared/x/0")]
    [TestCase("""{"declared":"file:///srv/project/a"}""", "/declared")]
    [TestCase("""{"declared":["https://api.example.com/x","",1]}""", null)]
    [TestCase("""{"x":{"declared":"evil.example"}}""", null)]
    [TestCase("""["plain","https://evil.example/"]""", "/1")]
    [TestCase("\"https://evil.example/\"", "")]
    public void FindDenied_UrlArguments_AreHeldToTheAllowlist(string arguments, string? pointer)
    {
        Assert.That(JsonPointerPattern.TryParse("/declared", out JsonPointerPattern? declared), Is.True);
        using JsonDocument document = JsonDocument.Parse(arguments);
        UrlVerdict? denied = UrlArgumentCheck.FindDenied(
            document.RootElement, UrlAllowlist.Create(["https://api.example.com"]), [declared!], out string found);
        Assert.That(denied is null ? null : found, Is.EqualTo(pointer));
    }

    private static PathArgumentRules Rules(PathArgumentMode mode, string[] declared, string[] content)
    {
        Assert.That(PathArgumentRules.TryCreate(mode, declared, content, default, out PathArgumentRules? rules, out string problem), Is.True, problem);
        return rules!;
    }
}
