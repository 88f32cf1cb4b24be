using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>
/// The official filesystem server, started with a wider directory than the policy's roots: through none of its tools is anything outside the roots read or
/// written, and every tool works inside.
/// </summary>
[TestFixture]
internal sealed class WiderDirectoryTests
{
    private const string Secret = "OUTSIDE-SECRET";

    private string _work = string.Empty;
    private string _root = string.Empty;
    private string _outside = string.Empty;

    [SetUp]
    public void Make()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-wider-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "wide", "project")).FullName;
        _outside = Directory.CreateDirectory(Path.Combine(_work, "wide", "project-other")).FullName;
        File.WriteAllText(Path.Combine(_root, "a.txt"), "inside\n");
        File.WriteAllBytes(Path.Combine(_root, "a.png"), [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        File.WriteAllText(Path.Combine(_outside, "secret.txt"), Secret);
        Directory.CreateDirectory(Path.Combine(_root, "sub"));
        File.CreateSymbolicLink(Path.Combine(_root, "link"), _outside);
        File.CreateSymbolicLink(Path.Combine(_root, "link.txt"), Path.Combine(_outside, "secret.txt"));
    }

    [TearDown]
    public void Remove() => Directory.Delete(_work, recursive: true);

    [Test]
    public async Task EveryTool_PathsOutside_NothingIsReadOrWritten()
    {
        await using Guarded guarded = Start();
        await using McpClient client = await guarded.Guard.ConnectAsync("files");
        string[] tools = [.. (await client.ListToolsAsync()).Select(tool => tool.Name)];
        var covered = new HashSet<string>(StringComparer.Ordinal) { "list_allowed_directories" };
        (string Path, string Name)[] before = Snapshot();
        foreach (string folder in Spellings())
        {
            string file = folder.TrimEnd('/') + "/secret.txt";
            foreach ((string tool, Dictionary<string, object?> arguments) in Calls(folder, file, Path.Combine(_root, "a.txt")))
            {
                covered.Add(tool);
                CallToolResult result = await client.CallToolAsync(tool, arguments);
                string text = string.Concat(result.Content.OfType<TextContentBlock>().Select(block => block.Text));
                Assert.That(text, Does.Contain("[path-outside-roots]"), $"{tool} {folder}");
                Assert.That(text, Does.Not.Contain(Secret), tool);
            }
        }

        // What a tool finds by itself below the root, through the links that lie there.
        foreach ((string tool, Dictionary<string, object?> arguments) in new (string, Dictionary<string, object?>)[]
        {
            ("directory_tree", new() { ["path"] = _root }),
            ("search_files", new() { ["path"] = _root, ["pattern"] = "**/*" }),
            ("list_directory", new() { ["path"] = _root }),
            ("list_directory_with_sizes", new() { ["path"] = _root }),
        })
        {
            CallToolResult result = await client.CallToolAsync(tool, arguments);
            Assert.That(string.Concat(result.Content.OfType<TextContentBlock>().Select(block => block.Text)), Does.Not.Contain("secret.txt").And.Not.Contain(Secret), tool);
        }

        Assert.That(Snapshot(), Is.EqualTo(before), "the disk is as it was");
        Assert.That(tools, Is.SubsetOf(covered), "every tool of the server is tried");
    }

    [Test]
    public async Task EveryTool_PathsInside_Works()
    {
        await using Guarded guarded = Start();
        await using McpClient client = await guarded.Guard.ConnectAsync("files");
        string file = Path.Combine(_root, "a.txt");
        var worked = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string tool, Dictionary<string, object?> arguments) in new (string, Dictionary<string, object?>)[]
        {
            ("read_file", new() { ["path"] = file }),
            ("read_text_file", new() { ["path"] = file }),
            ("read_media_file", new() { ["path"] = Path.Combine(_root, "a.png") }),
            ("read_multiple_files", new() { ["paths"] = new[] { file } }),
            ("write_file", new() { ["path"] = Path.Combine(_root, "new.txt"), ["content"] = "made" }),
            ("edit_file", new() { ["path"] = file, ["edits"] = new[] { new Dictionary<string, string> { ["oldText"] = "inside", ["newText"] = "edited" } } }),
            ("create_directory", new() { ["path"] = Path.Combine(_root, "sub", "made") }),
            ("list_directory", new() { ["path"] = _root }),
            ("list_directory_with_sizes", new() { ["path"] = _root }),
            ("directory_tree", new() { ["path"] = Path.Combine(_root, "sub") }),
            ("move_file", new() { ["source"] = Path.Combine(_root, "new.txt"), ["destination"] = Path.Combine(_root, "moved.txt") }),
            ("search_files", new() { ["path"] = _root, ["pattern"] = "*.txt" }),
            ("get_file_info", new() { ["path"] = file }),
            ("list_allowed_directories", new()),
        })
        {
            CallToolResult result = await client.CallToolAsync(tool, arguments);
            Assert.That(result.IsError, Is.Not.True, $"{tool}: {string.Concat(result.Content.OfType<TextContentBlock>().Select(block => block.Text))}");
            worked.Add(tool);
        }

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.SubsetOf(worked));
        Assert.That(File.ReadAllText(Path.Combine(_root, "moved.txt")), Is.EqualTo("made"));
        Assert.That(File.ReadAllText(file), Is.EqualTo("edited\n"));
    }

    private static IEnumerable<(string Tool, Dictionary<string, object?> Arguments)> Calls(string folder, string file, string inside)
    {
        string made = folder.TrimEnd('/') + "/made";
        yield return ("read_file", new() { ["path"] = file });
        yield return ("read_text_file", new() { ["path"] = file });
        yield return ("read_media_file", new() { ["path"] = file });
        yield return ("read_multiple_files", new() { ["paths"] = new[] { inside, file } });
        yield return ("write_file", new() { ["path"] = file, ["content"] = "x" });
        yield return ("write_file", new() { ["path"] = made, ["content"] = "x" });
        yield return ("edit_file", new() { ["path"] = file, ["edits"] = new[] { new Dictionary<string, string> { ["oldText"] = Secret, ["newText"] = "x" } } });
        yield return ("create_directory", new() { ["path"] = made });
        yield return ("list_directory", new() { ["path"] = folder });
        yield return ("list_directory_with_sizes", new() { ["path"] = folder });
        yield return ("directory_tree", new() { ["path"] = folder });
        yield return ("move_file", new() { ["source"] = file, ["destination"] = inside + ".stolen" });
        yield return ("move_file", new() { ["source"] = inside, ["destination"] = made });
        yield return ("search_files", new() { ["path"] = folder, ["pattern"] = "**/*" });
        yield return ("get_file_info", new() { ["path"] = file });
    }

    private IEnumerable<string> Spellings()
    {
        yield return _outside;
        yield return _root + "/../project-other";
        yield return _root + "/link";
        yield return _root + "/sub/../../project-other";
        yield return "../project-other";
        yield return _root + "/./link/.";
        yield return "file://" + _outside;
        yield return _root + "/%2e%2e/project-other";
        yield return _outside + "//";
        yield return " " + _outside;
    }

    private (string Path, string Name)[] Snapshot() =>
    [
        .. Directory.EnumerateFileSystemEntries(Path.Combine(_work, "wide"), "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, MaxRecursionDepth = 3 })
            .Where(path => !path.Contains("/link/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(path => (path, File.Exists(path) ? File.ReadAllText(path) : string.Empty)),
    ];

    private Guarded Start()
    {
        string script = NpmServers.Require("server-filesystem", "index.js");
        return new Guarded(Path.Combine(_work, "state"), server => server.Command(NpmServers.Node, script, Path.Combine(_work, "wide")).WithoutIsolation().Root(_root)
            .Allow("all", rule => rule.Tools("*").RateLimit(100_000, TimeSpan.FromSeconds(1))));
    }

    private sealed class Guarded : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Guarded(string state, Action<GuardServerBuilder> server)
        {
            var services = new ServiceCollection();
            services.AddMcpGuard(policy => policy.StateDirectory(state).Server("files", server)).UseAudit(new AuditCollector()).UseConsent(new ScriptedConsentProvider());
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public IMcpGuard Guard { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
