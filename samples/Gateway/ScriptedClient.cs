using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Gateway;

/// <summary>One user's client: it knows nothing of the guard and answers its questions always in the same way.</summary>
internal sealed class ScriptedClient(Uri url, string user, string protocol, string answer)
{
    /// <summary>Whether somebody without a token gets in.</summary>
    public static async Task<bool> CanConnectAsync(Uri url)
    {
        try
        {
            await using McpClient client = await McpClient.CreateAsync(new HttpClientTransport(new HttpClientTransportOptions { Endpoint = url, TransportMode = HttpTransportMode.StreamableHttp }));
            return true;
        }
        catch (HttpRequestException refused)
        {
            Console.WriteLine($"\nnobody     refused ({(int?)refused.StatusCode})");
            return false;
        }
    }

    /// <summary>Calls tools; true where each call ended as this user's answers and the policy say.</summary>
    public async Task<bool> RunAsync(string project)
    {
        await using McpClient client = await McpClient.CreateAsync(
            new HttpClientTransport(new HttpClientTransportOptions
            {
                Endpoint = url,
                TransportMode = HttpTransportMode.StreamableHttp,
                AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + TokenAuthentication.TokenOf[user] },
            }),
            new McpClientOptions { ProtocolVersion = protocol, Handlers = new McpClientHandlers { ElicitationHandler = Answer } });
        Console.WriteLine($"\n{user,-10} protocol {protocol}, tools {string.Join(", ", (await client.ListToolsAsync()).Select(tool => tool.Name))}");

        string written = Path.Combine(project, user + ".txt");
        bool asExpected = await CallAsync(client, "whoami", [], "You are " + user);
        asExpected &= await CallAsync(client, "files__read_file", new() { ["path"] = Path.Combine(project, "hello.txt") }, "hello from behind");
        asExpected &= await CallAsync(client, "files__read_file", new() { ["path"] = "/etc/passwd" }, "[path-outside-roots]");
        asExpected &= await CallAsync(client, "files__write_file", new() { ["path"] = written, ["content"] = "by " + user }, answer == "once" ? "wrote" : "[consent-denied]");
        return asExpected && File.Exists(written) == (answer == "once");
    }

    private static async Task<bool> CallAsync(McpClient client, string tool, Dictionary<string, object?> arguments, string expected)
    {
        CallToolResult result = await client.CallToolAsync(tool, arguments);
        string text = string.Join(' ', result.Content.OfType<TextContentBlock>().Select(block => block.Text)).ReplaceLineEndings(" ");
        Console.WriteLine($"{(result.IsError == true ? "  denied " : "  allowed"),-10} {tool}: {text}");
        return text.Contains(expected, StringComparison.Ordinal);
    }

    private ValueTask<ElicitResult> Answer(ElicitRequestParams? form, CancellationToken ct)
    {
        Console.WriteLine($"  asked    {form!.Message!.Split('\n')[0]} {answer}");
        return new(new ElicitResult
        {
            Action = "accept",
            Content = new Dictionary<string, JsonElement> { ["answer"] = JsonElement.Parse($"\"{answer}\"") },
        });
    }
}
