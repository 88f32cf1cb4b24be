using System.Text.Json.Nodes;
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
