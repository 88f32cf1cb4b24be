using System.Text.Json;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Soak;

/// <summary>A server over two streams whose list of tools changes and one of whose tools never answers in time.</summary>
internal sealed class SoakServer : IAsyncDisposable
{
    private static readonly JsonElement PathSchema = JsonElement.Parse(
        """{"type":"object","properties":{"path":{"type":"string"},"note":{"type":"string"}},"required":["path"],"additionalProperties":false}""");

    private readonly McpServer _server;
    private readonly Task _running;
    private int _version;

    public SoakServer(Stream input, Stream output)
    {
        _server = McpServer.Create(
            new StreamServerTransport(input, output),
            new McpServerOptions
            {
                ServerInfo = new Implementation { Name = "soak", Version = "1" },
                Capabilities = new ServerCapabilities { Tools = new ToolsCapability { ListChanged = true } },
                Handlers = new McpServerHandlers { ListToolsHandler = (_, _) => new(List()), CallToolHandler = CallAsync },
            });
        _running = _server.RunAsync();
    }

    /// <summary>The list is another one from now on, and the client is told.</summary>
    public Task ChangeListAsync()
    {
        Interlocked.Increment(ref _version);
        return _server.SendNotificationAsync("notifications/tools/list_changed");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private ListToolsResult List()
    {
        // A tool of another name comes and goes; those that are called stay as they were pinned.
        var tools = new List<Tool>();
        foreach (string name in (IEnumerable<string>)["read", "edit", "slow", "drop_all", .. (Volatile.Read(ref _version) % 2 == 1 ? ["extra"] : Array.Empty<string>())])
        {
            tools.Add(new Tool { Name = name, Description = "A tool of the soak.", InputSchema = PathSchema });
        }

        return new ListToolsResult { Tools = tools };
    }

    private static async ValueTask<CallToolResult> CallAsync(RequestContext<CallToolRequestParams> request, CancellationToken ct)
    {
        if (request.Params?.Name == "slow")
        {
            await Task.Delay(TimeSpan.FromSeconds(30), ct);
        }

        return new CallToolResult { Content = [new TextContentBlock { Text = "The notes of the last meeting: nothing was decided, and that is written down here." }] };
    }
}
