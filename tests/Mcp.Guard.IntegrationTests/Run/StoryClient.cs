using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary>A host on the SDK's client in a process of its own, for the recorded story of docs/cli.md: calls one tool, and answers what it is asked.</summary>
internal static class StoryClient
{
    /// <summary>Set to the answer (once, no) where this process is that client.</summary>
    public const string Variable = "MCP_GUARD_STORY_CLIENT";

    /// <param name="answer">What the person at this client says.</param>
    /// <param name="args">Tool, its arguments as JSON, then the command line of the server.</param>
    public static async Task<int> RunAsync(string answer, string[] args)
    {
        var options = new McpClientOptions
        {
            Handlers = new McpClientHandlers
            {
                ElicitationHandler = (form, _) =>
                {
                    Console.WriteLine("asked:");
                    foreach (string line in (form?.Message ?? string.Empty).Split('\n'))
                    {
                        Console.WriteLine("  | " + line);
                    }

                    Console.WriteLine($"answered: {answer}");
                    return new(new ElicitResult { Action = "accept", Content = new Dictionary<string, JsonElement> { ["answer"] = JsonSerializer.SerializeToElement(answer) } });
                },
            },
        };
        await using McpClient client = await McpClient.CreateAsync(new StdioClientTransport(new StdioClientTransportOptions { Command = args[2], Arguments = args[3..] }), options);
        Dictionary<string, object?> arguments = JsonDocument.Parse(args[1]).RootElement.EnumerateObject().ToDictionary(member => member.Name, member => (object?)member.Value);
        CallToolResult result = await client.CallToolAsync(args[0], arguments);
        foreach (TextContentBlock block in result.Content.OfType<TextContentBlock>())
        {
            Console.WriteLine((result.IsError == true ? "error: " : "result: ") + block.Text);
        }

        return 0;
    }
}
