using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests;

/// <summary>
/// A server at the level of messages, for everything that a well-behaved one would not do. It answers the handshake and <c>tools/list</c> itself, hands
/// <c>tools/call</c> to the test and counts what reached it.
/// </summary>
internal sealed class RawServer : IClientTransport, ITransport
{
    private readonly Channel<JsonRpcMessage> _toClient = Channel.CreateUnbounded<JsonRpcMessage>();
    private readonly ConcurrentQueue<JsonRpcMessage> _received = new();

    public string ProtocolVersion { get; init; } = "2025-11-25";

    /// <summary>The tools that it lists.</summary>
    public JsonArray Tools { get; set; } = [Tool("echo"), Tool("other")];

    /// <summary>What it says of itself for the model's prompt; null for nothing.</summary>
    public string? Instructions { get; set; }

    /// <summary>What it answers to <c>tools/list</c>, by cursor; null lists <see cref="Tools"/> on one page.</summary>
    public Func<string?, JsonObject>? OnList { get; set; }

    /// <summary>What it does with a call; null echoes the arguments.</summary>
    public Func<JsonRpcRequest, RawServer, CancellationToken, Task>? OnCall { get; set; }

    /// <summary>What it does with any other request that it does not answer itself.</summary>
    public Func<JsonRpcRequest, RawServer, Task>? OnOther { get; set; }

    /// <summary>A method that <see cref="OnOwn"/> answers in place of the server itself.</summary>
    public string? OwnMethod { get; init; }

    /// <summary>What it does with <see cref="OwnMethod"/>.</summary>
    public Func<JsonRpcRequest, RawServer, Task>? OnOwn { get; init; }

    public string Name => "raw";

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _toClient.Reader;

    /// <summary>Everything that reached the server.</summary>
    public IReadOnlyCollection<JsonRpcMessage> Received => _received;

    /// <summary>The calls that reached the server.</summary>
    public IReadOnlyList<JsonRpcRequest> Calls => [.. _received.OfType<JsonRpcRequest>().Where(request => request.Method == "tools/call")];

    public static JsonObject Tool(string name, string schema = """{"type":"object"}""") => new()
    {
        ["name"] = name,
        ["description"] = $"The tool {name}.",
        ["inputSchema"] = JsonNode.Parse(schema),
    };

    public static JsonObject TextResult(string text) => new()
    {
        ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }),
    };

    public Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) => Task.FromResult<ITransport>(this);

    public void Send(JsonRpcMessage message) => _toClient.Writer.TryWrite(message);

    public void Reply(RequestId id, JsonNode? result) => Send(new JsonRpcResponse { Id = id, Result = result });

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        _received.Enqueue(message);
        if (message is not JsonRpcRequest request)
        {
            return;
        }

        if (OnOwn is { } own && request.Method == OwnMethod)
        {
            await own(request, this);
            return;
        }

        switch (request.Method)
        {
            case "initialize":
                Reply(request.Id, new JsonObject
                {
                    ["protocolVersion"] = ProtocolVersion,
                    ["capabilities"] = new JsonObject { ["tools"] = new JsonObject { ["listChanged"] = true } },
                    ["serverInfo"] = new JsonObject { ["name"] = "raw", ["version"] = "1" },
                    ["instructions"] = Instructions,
                });
                break;
            case "server/discover" when ProtocolVersion != "2026-07-28":
                Send(new JsonRpcError { Id = request.Id, Error = new JsonRpcErrorDetail { Code = -32601, Message = "Method not found" } });
                break;
            case "server/discover":
                Reply(request.Id, new JsonObject
                {
                    ["resultType"] = "complete",
                    ["supportedVersions"] = new JsonArray("2026-07-28"),
                    ["capabilities"] = new JsonObject { ["tools"] = new JsonObject() },
                });
                break;
            case "tools/list" when OnList is { } list:
                Reply(request.Id, list(request.Params?["cursor"]?.GetValue<string>()));
                break;
            case "tools/list":
                Reply(request.Id, new JsonObject { ["tools"] = Tools.DeepClone() });
                break;
            case "tools/call" when OnCall is { } handler:
                await handler(request, this, cancellationToken);
                break;
            case "tools/call":
                Reply(request.Id, TextResult(request.Params?["arguments"]?.ToJsonString() ?? "{}"));
                break;
            default:
                if (OnOther is { } other)
                {
                    await other(request, this);
                }
                else
                {
                    Reply(request.Id, new JsonObject());
                }

                break;
        }
    }

    public ValueTask DisposeAsync()
    {
        _toClient.Writer.TryComplete();
        return default;
    }
}
