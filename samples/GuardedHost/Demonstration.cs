using System.Text.Json;
using Mcp.Guard;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace GuardedHost;

/// <summary>The calls of the sample, each with what becomes of it.</summary>
internal sealed class Demonstration(IMcpGuard guard, McpClient client, Screen screen, Workplace work)
{
    private static readonly JsonElement NoArguments = JsonDocument.Parse("{}").RootElement;

    public async Task RunAsync()
    {
        string notes = Path.Combine(work.Project, "notes.txt");
        using (guard.BeginScope(new GuardCaller("ada", "session-1") { Intent = "the user asked for the shopping list" }))
        {
            await ShowAsync("read a file inside the project", "read_file", new() { ["path"] = notes });
            await ShowAsync("write it: the policy asks a person, who says yes", "write_file", new() { ["path"] = notes, ["content"] = "buy milk and bread\n" });
            await ShowAsync("write it again: the person says no", "write_file", new() { ["path"] = notes, ["content"] = "all your notes are mine\n" });
        }

        using (guard.BeginScope(new GuardCaller("bob", "session-2")))
        {
            await ShowAsync("climb out of the project with ../", "read_file", new() { ["path"] = Path.Combine(work.Project, "..", "secret.txt") });
            await ShowAsync("call with arguments that the tool's schema does not know", "read_file", new() { ["path"] = 42 });
        }

        using (guard.BeginScope(new GuardCaller("eve", "session-3")))
        {
            for (int call = 1; call <= 4; call++)
            {
                await ShowAsync($"call {call} of four within a second", "list_directory", new() { ["path"] = work.Project });
            }
        }

        using (guard.BeginScope(new GuardCaller("dan", "session-4")))
        {
            await ShowAsync("call a tool that never answers; its rule gives it one second", "index_folder", new() { ["path"] = work.Project });
        }

        screen.Step("connect to the server 'shady', which no policy names");
        try
        {
            await using McpClient shady = await guard.ConnectAsync("shady");
            screen.Allowed("connected");
        }
        catch (McpGuardException denial)
        {
            screen.Denied(denial.Message);
        }
    }

    public async Task RunInteractiveAsync()
    {
        screen.Title("type: TOOL {\"argument\": \"value\"}, for example: read_file {\"path\": \"" + Path.Combine(work.Project, "notes.txt").Replace("\\", "\\\\", StringComparison.Ordinal) + "\"}");
        using IDisposable scope = guard.BeginScope(new GuardCaller(Environment.UserName, "keyboard") { Intent = "typed by a person" });
        while (true)
        {
            screen.Prompt("call> ");
            if (Console.ReadLine() is not { } line)
            {
                return;
            }

            string[] parts = line.Trim().Split(' ', 2);
            if (parts[0].Length == 0)
            {
                continue;
            }

            try
            {
                JsonElement arguments = parts.Length > 1 ? JsonDocument.Parse(parts[1]).RootElement : NoArguments;
                Dictionary<string, object?> values = arguments.EnumerateObject().ToDictionary(member => member.Name, member => (object?)member.Value, StringComparer.Ordinal);
                await ShowAsync(line.Trim(), parts[0], values);
            }
            catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
            {
                screen.Denied("the arguments are not a JSON object");
            }
        }
    }

    private async Task ShowAsync(string what, string tool, Dictionary<string, object?> arguments)
    {
        screen.Step(what);
        CallToolResult result = await client.CallToolAsync(tool, arguments);
        string text = string.Join('\n', result.Content.OfType<TextContentBlock>().Select(block => block.Text));
        if (result.IsError == true)
        {
            screen.Denied(text);
        }
        else
        {
            screen.Allowed(text.TrimEnd());
        }
    }
}
