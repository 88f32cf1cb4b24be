using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>A well-behaved server of the SDK in memory, with one of everything; of either protocol era, whichever its client asks for or it is held to.</summary>
internal sealed class ConformingServer(string name, string? protocolVersion = null, bool subscribes = true) : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly List<McpServer> _servers = [];
    private readonly List<Pipe> _pipes = [];
    private readonly List<string> _reads = [];
    private readonly List<string> _subscribedTo = [];
    private int _starts;

    public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was subscribed to and unsubscribed from (with a minus sign before it), in the older era.</summary>
    public List<string> Subscriptions { get; } = [];

    /// <summary>The resources that were asked to be told of, in either era, each as often as it was.</summary>
    public string[] SubscribedTo
    {
        get
        {
            lock (_subscribedTo)
            {
                return [.. _subscribedTo];
            }
        }
    }

    public List<string> Levels { get; } = [];

    public string[] Uris { get; set; } = ["test://a", $"test://{name}/own"];

    public int Starts => Volatile.Read(ref _starts);

    public string[] Reads
    {
        get
        {
            lock (_reads)
            {
                return [.. _reads];
            }
        }
    }

    /// <summary>The newest connection's server.</summary>
    public McpServer Server => _servers[^1];

    public McpServerPrimitiveCollection<McpServerTool> Tools { get; } = [];

    public IClientTransport Connect()
    {
        Interlocked.Increment(ref _starts);
        var toServer = new Pipe();
        var toClient = new Pipe();
        McpServer server = McpServer.Create(new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()), Options());
        _servers.Add(server);
        _pipes.AddRange([toServer, toClient]);
        _ = server.RunAsync(_end.Token);
        return new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream());
    }

    /// <summary>Ends the newest connection, as a crash does.</summary>
    public void Crash()
    {
        _pipes[^1].Writer.Complete();
        _pipes[^2].Reader.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _end.Dispose();
    }

    private McpServerOptions Options()
    {
        if (Tools.Count == 0)
        {
            Tools.Add(McpServerTool.Create((string word) => $"{name} {word}", new McpServerToolCreateOptions { Name = "echo" }));
            Tools.Add(McpServerTool.Create(ReportAsync, new McpServerToolCreateOptions { Name = "report" }));
            Tools.Add(McpServerTool.Create(WaitAsync, new McpServerToolCreateOptions { Name = "wait" }));
            Tools.Add(McpServerTool.Create(SampleAsync, new McpServerToolCreateOptions { Name = "sample" }));
            Tools.Add(McpServerTool.Create(ElicitAsync, new McpServerToolCreateOptions { Name = "elicit" }));
            Tools.Add(McpServerTool.Create(TouchAsync, new McpServerToolCreateOptions { Name = "touch" }));
        }

        var options = new McpServerOptions
        {
            ProtocolVersion = protocolVersion,
            ToolCollection = Tools,
            Capabilities = new ServerCapabilities
            {
                Resources = new ResourcesCapability { Subscribe = subscribes, ListChanged = true },
                Prompts = new PromptsCapability { ListChanged = true },
            },
        };
        McpServerHandlers handlers = options.Handlers;
        handlers.ListResourcesHandler = (request, _) => new(request.Params?.Cursor is null
            ? new ListResourcesResult { Resources = [.. Uris.Take(1).Select(Listed)], NextCursor = "rest" }
            : new ListResourcesResult { Resources = [.. Uris.Skip(1).Select(Listed)] });
        handlers.ListResourceTemplatesHandler = (_, _) => new(new ListResourceTemplatesResult
        {
            ResourceTemplates = [new ResourceTemplate { Name = "t", UriTemplate = $"test://{name}/t/{{id}}", MimeType = "text/plain" }],
        });
        handlers.ReadResourceHandler = (request, _) =>
        {
            string uri = request.Params.Uri;
            lock (_reads)
            {
                _reads.Add(uri);
            }

            return uri.EndsWith("/absent", StringComparison.Ordinal)
                ? throw new McpProtocolException("no such resource", McpErrorCode.ResourceNotFound)
                : new(new ReadResourceResult { Contents = [new TextResourceContents { Uri = uri, MimeType = "text/plain", Text = $"{name} has {uri}" }] });
        };
        handlers.ListPromptsHandler = (_, _) => new(new ListPromptsResult { Prompts = [new Prompt { Name = "greet", Description = "Greets.", Arguments = [new PromptArgument { Name = "who" }] }] });
        handlers.GetPromptHandler = (request, _) => new(new GetPromptResult
        {
            Description = "A greeting.",
            Messages = [new PromptMessage { Role = Role.User, Content = new TextContentBlock { Text = $"{name} greets {request.Params.Arguments?["who"]}" } }],
        });
        handlers.CompleteHandler = (request, _) => new(new CompleteResult
        {
            Completion = new Completion { Values = [$"{(request.Params.Ref as PromptReference)?.Name ?? (request.Params.Ref as ResourceTemplateReference)?.Uri}:{request.Params.Argument.Value}"] },
        });
        handlers.SubscribeToResourcesHandler = (request, _) => Remember(request.Params.Uri);
        handlers.UnsubscribeFromResourcesHandler = (request, _) => Remember("-" + request.Params.Uri);
        options.Filters.Message.IncomingFilters.Add(next => async (context, ct) =>
        {
            if (context.JsonRpcMessage is JsonRpcRequest { Method: "logging/setLevel" } level)
            {
                lock (Levels)
                {
                    Levels.Add((string)level.Params!["level"]!);
                }
            }

            if (context.JsonRpcMessage is JsonRpcRequest { Method: "resources/subscribe" or "subscriptions/listen" } subscribed)
            {
                JsonNode? wanted = subscribed.Params!["uri"] ?? subscribed.Params["notifications"]?["resourceSubscriptions"];
                lock (_subscribedTo)
                {
                    _subscribedTo.AddRange(wanted switch
                    {
                        JsonArray uris => uris.Select(static uri => (string)uri!),
                        JsonValue uri => [(string)uri!],
                        _ => [],
                    });
                }
            }

            await next(context, ct);
        });
        return options;

        static Resource Listed(string uri) => new() { Name = uri, Uri = uri, MimeType = "text/plain" };
    }

    private ValueTask<EmptyResult> Remember(string uri)
    {
        lock (Subscriptions)
        {
            Subscriptions.Add(uri);
        }

        return new(new EmptyResult());
    }

    private static async Task<string> ReportAsync(McpServer server, RequestContext<CallToolRequestParams> request, IProgress<ProgressNotificationValue> progress, CancellationToken ct)
    {
        _ = progress;
        for (int i = 1; i <= 20; i++)
        {
            if (request.Params!.ProgressToken is { } token)
            {
                await server.NotifyProgressAsync(token, new ProgressNotificationValue { Progress = i, Total = 20, Message = "step " + i }, cancellationToken: ct);
            }
        }

        await server.SendMessageAsync(
            new JsonRpcNotification { Method = "notifications/message", Params = new JsonObject { ["level"] = "warning", ["logger"] = "test", ["data"] = "a line" } }, ct);
        await server.SendMessageAsync(new JsonRpcNotification { Method = "notifications/message", Params = new JsonObject { ["level"] = "debug", ["data"] = "chatter" } }, ct);
        return "reported";
    }

    private async Task<string> WaitAsync(CancellationToken ct)
    {
        Started.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, ct);
        }
        catch (OperationCanceledException)
        {
            Cancelled.TrySetResult();
            throw;
        }

        return "never";
    }

    private static async Task<string> SampleAsync(McpServer server, CancellationToken ct)
    {
        CreateMessageResult answer = await server.SampleAsync(
            new CreateMessageRequestParams { MaxTokens = 50, Messages = [new SamplingMessage { Role = Role.User, Content = [new TextContentBlock { Text = "a question" }] }] }, ct);
        return "model: " + string.Join(' ', answer.Content.OfType<TextContentBlock>().Select(block => block.Text));
    }

    private static async Task<string> ElicitAsync(McpServer server, CancellationToken ct)
    {
        ElicitResult answer = await server.ElicitAsync(
            new ElicitRequestParams
            {
                Message = "Which colour?",
                RequestedSchema = new ElicitRequestParams.RequestSchema { Properties = { ["colour"] = new ElicitRequestParams.StringSchema() } },
            },
            ct);
        return $"{answer.Action}: {(answer.Content?.TryGetValue("colour", out JsonElement colour) == true ? colour.ToString() : "nothing")}";
    }

    private static async Task<string> TouchAsync(McpServer server, string uri, CancellationToken ct)
    {
        await server.SendMessageAsync(new JsonRpcNotification { Method = "notifications/resources/updated", Params = new JsonObject { ["uri"] = uri } }, ct);
        return "touched";
    }
}
