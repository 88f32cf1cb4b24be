using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>The server that is called: one tool, which does nothing, so that what is measured is the way there and back.</summary>
internal static class EditServer
{
    public const string Tool = "edit_file";

    private static readonly JsonElement InputSchema = JsonElement.Parse(
        """{"type":"object","properties":{"path":{"type":"string","maxLength":4096},"find":{"type":"string"},"replace":{"type":"string"},"limit":{"type":"integer","minimum":1},"dryRun":{"type":"boolean"}},"required":["path"],"additionalProperties":false}""");

    private static readonly JsonElement OutputSchema = JsonElement.Parse("""{"type":"object","properties":{"changed":{"type":"integer"}},"required":["changed"]}""");

    private static readonly JsonElement Structured = JsonElement.Parse("""{"changed":3}""");

    public static McpServerHandlers Handlers => new()
    {
        ListToolsHandler = (_, _) => new(new ListToolsResult { Tools = [new Tool { Name = Tool, Description = "Edits a file.", InputSchema = InputSchema, OutputSchema = OutputSchema }] }),
        CallToolHandler = (_, _) => new(new CallToolResult
        {
            Content = [new TextContentBlock { Text = "Replaced three places in src/main.cs: the signature and two calls of it. Nothing else was changed in this file." }],
            StructuredContent = Structured,
        }),
    };

    public static McpServerOptions Options => new() { ServerInfo = new Implementation { Name = "measured", Version = "1" }, Handlers = Handlers };

    /// <summary>Serves over standard input and output until it is closed.</summary>
    public static async Task<int> ServeStdioAsync()
    {
        await using McpServer server = McpServer.Create(new StdioServerTransport("measured"), Options);
        await server.RunAsync();
        return 0;
    }

    /// <summary>Serves over two streams.</summary>
    public static McpServer Start(Stream input, Stream output)
    {
        McpServer server = McpServer.Create(new StreamServerTransport(input, output), Options);
        _ = server.RunAsync();
        return server;
    }

    /// <summary>The arguments of the measured call: five, one of them a path.</summary>
    public static Dictionary<string, object?> ArgumentsFor(string path) => new()
    {
        ["path"] = path,
        ["find"] = "public static int Count(string text)",
        ["replace"] = "public static int Count(ReadOnlySpan<char> text, StringComparison how = StringComparison.Ordinal)",
        ["limit"] = 100,
        ["dryRun"] = false,
    };
}
