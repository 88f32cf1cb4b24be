using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.JailProbe;

/// <summary>The probe as an MCP server on stdio: <c>echo</c> answers its text, <c>attempt</c> tries what it is told.</summary>
internal static class ProbeServer
{
    public static async Task<int> RunAsync()
    {
        var tools = new McpServerPrimitiveCollection<McpServerTool>
        {
            McpServerTool.Create((string text) => text, new McpServerToolCreateOptions { Name = "echo" }),
            McpServerTool.Create(Try, new McpServerToolCreateOptions { Name = "attempt" }),
        };
        var options = new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "probe", Version = "1" },
            ToolCollection = tools,
        };
        await using McpServer server = McpServer.Create(new StdioServerTransport("probe"), options);
        await server.RunAsync();
        return 0;
    }

    private static string Try(string name, string[] arguments)
    {
        try
        {
            return Attempts.Run(name, arguments);
        }
        catch (Exception fault)
        {
            return $"failed: {fault.GetType().Name}: {fault.Message}";
        }
    }
}
