using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.JailProbe;

/// <summary>An MCP server on stdio without an SDK between it and the wire: each tool breaks one thing that a host relies on.</summary>
internal static class HostileServer
{
    private static readonly Lock Wire = new();
    private static readonly ManualResetEvent Never = new(false);
    private static readonly Stream Output = Console.OpenStandardOutput();

    private static readonly string[] Tools = ["echo", "pid", "hang", "ignore", "work", "late", "obey", "drip", "huge", "large", "flood"];

    public static int Run()
    {
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        while (input.ReadLine() is { } line)
        {
            using JsonDocument message = JsonDocument.Parse(line);
            JsonElement root = message.RootElement;
            if (!root.TryGetProperty("id", out JsonElement id) || !root.TryGetProperty("method", out JsonElement method))
            {
                continue; // cancellations and the like are ignored
            }

            string rawId = id.GetRawText();
            switch (method.GetString())
            {
                case "initialize":
                    Reply(rawId, """{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"hostile","version":"1"}}""");
                    break;
                case "ping":
                    Reply(rawId, "{}");
                    break;
                case "tools/list":
                    Reply(rawId, "{\"tools\":[" + string.Join(',', Tools.Select(static name => "{\"name\":\"" + name + "\",\"inputSchema\":{\"type\":\"object\"}}")) + "]}");
                    break;
                case "tools/call":
                    Call(rawId, root.GetProperty("params"));
                    break;
                default:
                    Write($$$"""{"jsonrpc":"2.0","id":{{{rawId}}},"error":{"code":-32601,"message":"Method not found"}}""");
                    break;
            }
        }

        // The input is closed, which asks a server to end. This one does not.
        Never.WaitOne();
        return 0;
    }

    private static void Call(string id, JsonElement parameters)
    {
        string argument = parameters.TryGetProperty("arguments", out JsonElement arguments) && arguments.TryGetProperty("value", out JsonElement value) ? value.GetString()! : "";
        string token = parameters.TryGetProperty("_meta", out JsonElement meta) && meta.TryGetProperty("progressToken", out JsonElement given) ? given.GetRawText() : "\"none\"";
        switch (parameters.GetProperty("name").GetString())
        {
            case "echo":
                ReplyText(id, argument);
                break;
            case "pid":
                ReplyText(id, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
                break;
            case "hang":
                // With a child, whose id is left in the named file: the whole tree must end.
                using (Process child = Process.Start("/bin/sleep", "3600"))
                {
                    File.WriteAllText(argument, child.Id.ToString(CultureInfo.InvariantCulture));
                    Never.WaitOne();
                }

                break;
            case "ignore" or "obey":
                break; // no reply, ever; everything else goes on
            case "work":
                InBackground(() => Repeat(TimeSpan.FromMilliseconds(100), () => Write($$$"""{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{{{token}}},"progress":1}}""")));
                break;
            case "late":
                InBackground(() =>
                {
                    Never.WaitOne(int.Parse(argument, CultureInfo.InvariantCulture));
                    ReplyText(id, "late");
                });
                break;
            case "drip":
                InBackground(() =>
                {
                    lock (Wire)
                    {
                        Output.Write(Encoding.ASCII.GetBytes(Opening(id)));
                        Repeat(TimeSpan.FromMilliseconds(20), () =>
                        {
                            Output.WriteByte((byte)'a');
                            Output.Flush();
                        });
                    }
                });
                break;
            case "huge" or "large":
                InBackground(() => WriteText(id, long.Parse(argument, CultureInfo.InvariantCulture)));
                break;
            case "flood":
                ReplyText(id, "flooding");
                byte[] line = Encoding.UTF8.GetBytes(
                    $$$"""{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"{{{new string('x', int.Parse(argument, CultureInfo.InvariantCulture))}}}"}}""" + "\n");
                InBackground(() => Repeat(TimeSpan.Zero, () =>
                {
                    lock (Wire)
                    {
                        Output.Write(line);
                    }
                }));
                break;
        }
    }

    private static void InBackground(Action work) => new Thread(() => work()) { IsBackground = true }.Start();

    private static void Repeat(TimeSpan pause, Action work)
    {
        while (true)
        {
            work();
            Never.WaitOne(pause);
        }
    }

    private static void WriteText(string id, long bytes)
    {
        byte[] chunk = new byte[64 * 1024];
        chunk.AsSpan().Fill((byte)'a');
        lock (Wire)
        {
            Output.Write(Encoding.ASCII.GetBytes(Opening(id)));
            for (long left = bytes; left > 0; left -= chunk.Length)
            {
                Output.Write(chunk, 0, (int)Math.Min(left, chunk.Length));
            }

            Output.Write("\"}]}}\n"u8);
            Output.Flush();
        }
    }

    private static string Opening(string id) => "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"";

    private static void ReplyText(string id, string text) => Write(Opening(id) + JsonEncodedText.Encode(text) + "\"}]}}");

    private static void Reply(string id, string result) => Write($$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{{{result}}}}""");

    private static void Write(string message)
    {
        lock (Wire)
        {
            Output.Write(Encoding.UTF8.GetBytes(message + "\n"));
            Output.Flush();
        }
    }
}
