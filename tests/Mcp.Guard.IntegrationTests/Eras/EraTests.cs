using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Eras;

/// <summary>Both protocol eras over every transport, against the SDK's own server: what is allowed is what the plain client gets, what is denied never arrives.</summary>
[TestFixture]
internal sealed class EraTests
{
    private const string Sessions = "2025-11-25";
    private const string Stateless = "2026-07-28";

    private static IEnumerable<TestCaseData> Ways()
    {
        foreach (string transport in (string[])["streams", "stdio", "http"])
        {
            yield return new TestCaseData(transport, Sessions);
            yield return new TestCaseData(transport, Stateless);
        }
    }

    [TestCaseSource(nameof(Ways))]
    public async Task Call_Allowed_ResultIsThatOfThePlainClient(string transport, string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(transport, version);
        Assert.That(connection.Guarded.NegotiatedProtocolVersion, Is.EqualTo(version));
        (string Method, JsonObject Parameters)[] requests =
        [
            ("prompts/list", []),
            ("tools/call", Call("echo", new() { ["text"] = "hello\n\u00e4\U0001f600" })),
            ("tools/call", Call("measure", new() { ["text"] = "abc" })),
            ("tools/call", Call("fail", [])),
            ("tools/call", Call("read", new() { ["path"] = Path.Combine(connection.Root, "a.txt") })),
            ("prompts/get", new() { ["name"] = "greet", ["arguments"] = new JsonObject { ["name"] = "Ada" } }),
            ("resources/read", new() { ["uri"] = "test://greeting" }),
        ];

        string[] offered = [.. (await connection.Plain.ListToolsAsync()).Select(tool => tool.Name)];
        Assert.That((await connection.Guarded.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo(offered.Except(["forbidden"])), "what a rule denies is not shown to the model");
        foreach (var (method, parameters) in requests)
        {
            string guarded = await RawAsync(connection.Guarded, method, parameters);
            Assert.That(guarded, Is.EqualTo(await RawAsync(connection.Plain, method, parameters)), $"{method} {parameters.ToJsonString()}");
        }

        CallToolResult text = await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "again" });
        Assert.That(TextOf(text), Is.EqualTo("echo: again"));
        Assert.That(connection.Reached("echo"), Is.EqualTo(2));
    }

    [TestCaseSource(nameof(Ways))]
    public async Task Call_Denied_NeverReachesTheServer(string transport, string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(transport, version);

        CallToolResult forbidden = await connection.Guarded.CallToolAsync("forbidden");
        CallToolResult outside = await connection.Guarded.CallToolAsync("read", new Dictionary<string, object?> { ["path"] = connection.Outside });
        CallToolResult invalid = await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = 5 });
        CallToolResult unknown = await connection.Guarded.CallToolAsync("no_such_tool");
        var resource = await Assert.ThrowsAsync<McpGuardException>(async () => await connection.Guarded.ReadResourceAsync("test://secret"));
        CallToolResult after = await connection.Guarded.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "x" });

        Assert.Multiple(() =>
        {
            Assert.That(TextOf(forbidden), Does.Contain("[rule-denied]"));
            Assert.That(TextOf(outside), Does.Contain("[path-outside-roots]"));
            Assert.That(TextOf(invalid), Does.Contain("[arguments-invalid]"));
            Assert.That(TextOf(unknown), Does.Contain("[tool-unknown]"));
            Assert.That(resource!.Code, Is.EqualTo(GuardDenialCodes.RuleDenied));
            Assert.That(after.IsError, Is.Not.True);
            Assert.That(connection.Reached("forbidden") + connection.Reached("read") + connection.Reached("secret"), Is.Zero);
            Assert.That(connection.Reached("echo"), Is.EqualTo(1));
        });
    }

    [TestCaseSource(nameof(Ways))]
    public async Task Call_ThatAsksForTheRoots_LearnsThoseOfThePolicyOnly(string transport, string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(transport, version, options: new McpClientOptions
        {
            Handlers = new McpClientHandlers { RootsHandler = (_, _) => new(new ListRootsResult { Roots = [new Root { Uri = "file:///etc" }] }) },
        });

        CallToolResult result = await connection.Guarded.CallToolAsync("roots");

        Assert.That(TextOf(result), Does.StartWith("asked: file://").And.EndsWith("/root").And.Not.Contain("/etc"));
        Assert.That(connection.Reached("roots"), Is.EqualTo(2), "once to ask, once with the answer");
    }

    [TestCase("streams")]
    [TestCase("stdio")]
    [TestCase("http")]
    public async Task Call_PutOffByItsState_IsContinuedUntilItEnds(string transport)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(transport, Stateless);

        CallToolResult result = await connection.Guarded.CallToolAsync("later");

        Assert.Multiple(() =>
        {
            Assert.That(TextOf(result), Is.EqualTo("done at last"));
            Assert.That(connection.Reached("later"), Is.EqualTo(3));
            Assert.That(connection.Audit.OfKind(AuditKind.Intent).Count(record => record.Target == "later"), Is.EqualTo(3));
        });
    }

    [TestCase("streams")]
    [TestCase("stdio")]
    [TestCase("http")]
    public async Task Call_ThatAsksWhatThePolicyDoesNotAllow_IsRefusedAndNobodyIsAsked(string transport)
    {
        bool asked = false;
        await using EraConnection connection = await EraConnection.OpenAsync(transport, Stateless, options: new McpClientOptions
        {
            Handlers = new McpClientHandlers
            {
                ElicitationHandler = (_, _) =>
                {
                    asked = true;
                    return new(new ElicitResult { Action = "accept" });
                },
            },
        });

        CallToolResult result = await connection.Guarded.CallToolAsync("elicit");

        Assert.Multiple(() =>
        {
            Assert.That(result.IsError, Is.True);
            Assert.That(asked, Is.False);
            Assert.That(connection.Reached("elicit"), Is.LessThanOrEqualTo(1));
        });
    }

    [TestCaseSource(nameof(Ways))]
    public async Task Call_WithProgress_HostHearsOfIt(string transport, string version)
    {
        await using EraConnection connection = await EraConnection.OpenAsync(transport, version);
        var heard = new Heard(connection);

        CallToolResult result = await connection.Guarded.CallToolAsync("progress", progress: heard);

        Assert.That(TextOf(result), Is.EqualTo("done"));
        Assert.That(heard.Message, Is.EqualTo("half"));
    }

    private static JsonObject Call(string tool, JsonObject arguments) => new() { ["name"] = tool, ["arguments"] = arguments };

    private static string TextOf(CallToolResult result) => ((TextContentBlock)result.Content[0]).Text;

    private static async Task<string> RawAsync(McpClient client, string method, JsonObject parameters)
    {
        JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = parameters.DeepClone() });
        return response.Result!.ToJsonString();
    }

    private sealed class Heard(EraConnection connection) : IProgress<ModelContextProtocol.ProgressNotificationValue>
    {
        public string? Message { get; private set; }

        public void Report(ModelContextProtocol.ProgressNotificationValue value)
        {
            Message = value.Message;
            connection.TellServerThatProgressWasHeard();
        }
    }
}
