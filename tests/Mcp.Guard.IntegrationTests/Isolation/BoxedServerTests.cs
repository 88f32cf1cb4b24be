using System.Text.Json;
using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Real MCP servers in a box: the official filesystem server on node, and our own C# server, through the SDK's client.</summary>
[TestFixture]
internal sealed class BoxedServerTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp()
    {
        Probe.RequireBubblewrap();
        _folder = Probe.MakeFolder();
    }

    [TearDown]
    public void TearDown()
    {
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public async Task FilesystemServer_InABox_ReadsAndWritesItsRootOnly()
    {
        string package = await FilesystemServer.RequireAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "a.txt"), "inside");
        IsolationOptions options = Probe.Boxed() with
        {
            Executable = FilesystemServer.Node,
            Arguments = [Path.Combine(package, FilesystemServer.Entry), _folder],
            Readable = [package],
            Writable = [_folder],
            Memory = 512 << 20,
        };
        await using ServerProcess server = await Probe.StartAsync(options);
        await using McpClient client = await ConnectAsync(server);
        string read = await CallAsync(client, "read_text_file", ("path", Path.Combine(_folder, "a.txt")));
        await CallAsync(client, "write_file", ("path", Path.Combine(_folder, "b.txt")), ("content", "made"));
        Assert.Multiple(() =>
        {
            Assert.That(read, Does.Contain("inside"));
            Assert.That(File.ReadAllText(Path.Combine(_folder, "b.txt")), Is.EqualTo("made"));
        });
    }

    [Test]
    public async Task FilesystemServer_ByNpxFromTheCache_StartsWithoutANetwork()
    {
        string npx = FilesystemServer.RequireNpx();
        string home = await FilesystemServer.RequireCacheAsync(_folder);
        IsolationOptions options = Probe.Boxed() with
        {
            Executable = npx,
            Arguments = ["--yes", FilesystemServer.Package, "/tmp"],
            Readable = [],
        };
        IsolationPlan plan = IsolationPlanner.Create(options, IsolationHost.Detect() with { HomeFolder = home });
        await using ServerProcess server = await ServerProcess.StartAsync(plan, new ServerProcessOptions(), NullLogger.Instance);
        await using McpClient client = await ConnectAsync(server);
        IList<McpClientTool> tools = await client.ListToolsAsync();
        Assert.That(tools.Select(static tool => tool.Name), Does.Contain("read_text_file"));
    }

    [TestCase("--yes", "@modelcontextprotocol/server-other@1.0.0", IsolationFault.SourceRefused)]
    [TestCase("--package=x", "y", IsolationFault.InvalidOptions)]
    [TestCase("-y", "--", IsolationFault.InvalidOptions)]
    public void Npx_WhatIsNotInTheCache_IsRefused(string first, string second, object fault)
    {
        string npx = FilesystemServer.RequireNpx();
        IsolationException? refused = Assert.Throws<IsolationException>(() => IsolationPlanner.Create(
            Probe.Boxed() with { Executable = npx, Arguments = [first, second] },
            IsolationHost.Detect() with { HomeFolder = _folder }));
        Assert.That(refused!.Fault, Is.EqualTo(fault), refused.Message);
    }

    [TestCase(nameof(IsolationMode.None))]
    [TestCase(nameof(IsolationMode.Bubblewrap))]
    public async Task OwnServer_Started_Answers(string mode)
    {
        await using ServerProcess server = await Probe.StartAsync(Probe.Options(Enum.Parse<IsolationMode>(mode), "serve"));
        await using McpClient client = await ConnectAsync(server);
        Assert.That(await CallAsync(client, "echo", ("text", "hello")), Is.EqualTo("hello"));
    }

    [Test]
    public async Task OwnServer_HostileToolsInABox_SeeNothing()
    {
        await using ServerProcess server = await Probe.StartAsync(Probe.Boxed("serve") with { Memory = 512 << 20, Cpus = 1 });
        await using McpClient client = await ConnectAsync(server);
        string read = await CallAsync(client, "attempt", ("name", "read"), ("arguments", new[] { "/etc/shadow" }));
        string mount = await CallAsync(client, "attempt", ("name", "mount"), ("arguments", Array.Empty<string>()));
        Assert.Multiple(() =>
        {
            Assert.That(read, Does.StartWith("failed: FileNotFoundException"));
            Assert.That(mount, Does.StartWith("failed: "));
        });
    }

    [Test]
    public async Task Python_InABox_StartsWithItsPreset()
    {
        string? python = Array.Find(["/usr/bin/python3", "/usr/local/bin/python3"], File.Exists);
        if (python is null)
        {
            Assert.Ignore("needs python3 in a system folder, which is absent here");
        }

        JailRun run = await Probe.RunAsync(Probe.Boxed() with { Executable = python, Arguments = ["-c", "import ssl, json; print(json.dumps('ok'))"], Readable = [] });
        Assert.That(run.Said, Is.EqualTo("\"ok\""), run.ToString());
    }

    private static async Task<McpClient> ConnectAsync(ServerProcess server)
    {
        try
        {
            return await McpClient.CreateAsync(new StreamClientTransport(server.Input, server.Output)).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception)
        {
            ServerProcessExit exit = await server.StopAsync();
            TestContext.Out.WriteLine($"exit {exit.Code}\n{string.Join('\n', exit.ErrorTail)}");
            throw;
        }
    }

    private static async Task<string> CallAsync(McpClient client, string tool, params (string Name, object? Value)[] arguments)
    {
        CallToolResult result = await client.CallToolAsync(tool, arguments.ToDictionary(static entry => entry.Name, static entry => entry.Value)).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.That(result.IsError, Is.Not.True, JsonSerializer.Serialize(result.Content.Count));
        return ((TextContentBlock)result.Content[0]).Text;
    }
}
