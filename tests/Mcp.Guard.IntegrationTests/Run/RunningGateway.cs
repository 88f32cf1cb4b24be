using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Run;

/// <summary>The real command <c>mcp-guard run</c> as a process, over standard streams or over HTTP.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningGateway(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, told) =>
        {
            if (told.Data is { } line)
            {
                Errors.Enqueue(line);
                if (line.StartsWith("mcp-guard run: serving ", StringComparison.Ordinal))
                {
                    _url.TrySetResult(new Uri(line["mcp-guard run: serving ".Length..]));
                }
            }
        };
        process.BeginErrorReadLine();
    }

    public static string Dll { get; } = Path.Combine(Path.GetDirectoryName(typeof(Mcp.Guard.Cli.Terminal.ExitCodes).Assembly.Location)!, "mcp-guard.dll");

    /// <summary>What it wrote to standard error.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public Process Process => _process;

    public Uri Url => _url.Task.Result;

    /// <summary>Starts it for a test that speaks to it itself, or expects it to end.</summary>
    public static RunningGateway Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && path.EndsWith("dotnet", StringComparison.Ordinal) ? path : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        foreach (string argument in (string[])[Dll, "run", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return new RunningGateway(Process.Start(start)!);
    }

    /// <summary>Starts it over HTTP and waits for its address.</summary>
    public static async Task<RunningGateway> StartHttpAsync(params string[] arguments)
    {
        RunningGateway gateway = Start(arguments);
        Task ended = gateway._process.WaitForExitAsync();
        if (await Task.WhenAny(gateway._url.Task, ended).WaitAsync(TimeSpan.FromSeconds(60)) == ended)
        {
            Assert.Fail(string.Join('\n', gateway.Errors));
        }

        return gateway;
    }

    /// <summary>A client that starts the command as any MCP client does.</summary>
    public static Task<McpClient> ConnectAsync(string era, McpClientHandlers? handlers, params string[] arguments) =>
        ConnectAsync(new McpClientOptions { ProtocolVersion = era, Handlers = handlers ?? new McpClientHandlers() }, arguments);

    /// <summary>The same with all that a client can say of itself.</summary>
    public static Task<McpClient> ConnectAsync(McpClientOptions options, params string[] arguments) => McpClient.CreateAsync(
        new StdioClientTransport(new StdioClientTransportOptions { Command = "dotnet", Arguments = [Dll, "run", .. arguments], ShutdownTimeout = TimeSpan.FromSeconds(20) }),
        options);

    public Task<McpClient> ConnectAsync(string era, string token, McpClientHandlers? handlers = null) =>
        ConnectAsync(new McpClientOptions { ProtocolVersion = era, Handlers = handlers ?? new McpClientHandlers() }, token);

    /// <summary>The same with all that a client can say of itself, over HTTP.</summary>
    public Task<McpClient> ConnectAsync(McpClientOptions options, string token) => McpClient.CreateAsync(
        new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = Url,
            TransportMode = HttpTransportMode.StreamableHttp,
            AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = "Bearer " + token },
        }),
        options);

    /// <summary>The tokens of a file that the command wrote, by caller.</summary>
    public static async Task<Dictionary<string, string>> TokensAsync(string file)
    {
        string[] lines = await File.ReadAllLinesAsync(file);
        return lines.ToDictionary(line => line.Split('\t')[0], line => line.Split('\t')[1]);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    /// <summary>A request at the level of messages; its result or error as JSON, without what belongs to one hop only.</summary>
    public static async Task<string> RawAsync(McpClient client, string method, JsonObject parameters)
    {
        try
        {
            JsonRpcResponse response = await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = parameters.DeepClone() });
            JsonNode result = response.Result!.DeepClone();
            foreach (string hop in (string[])["_meta", "ttlMs", "cacheScope", "resultType"])
            {
                ((JsonObject)result).Remove(hop);
            }

            return Sorted(result)!.ToJsonString();
        }
        catch (ModelContextProtocol.McpProtocolException error)
        {
            return $"{(int)error.ErrorCode}: {error.Message}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        null => null,
        _ => JsonNode.Parse(node.ToJsonString()),
    };
}
