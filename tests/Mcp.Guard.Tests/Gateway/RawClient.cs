using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>A client at the level of messages, which keeps them in the order of their arrival; the client of the SDK does not.</summary>
internal sealed class RawClient
{
    private readonly ITransport _transport;
    private readonly bool _isStateless;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonNode>> _waiting = new(StringComparer.Ordinal);
    private int _id;

    private RawClient(ITransport transport, bool isStateless)
    {
        _transport = transport;
        _isStateless = isStateless;
        _ = Task.Run(ReadAsync);
    }

    /// <summary>Everything that came, in order.</summary>
    public ConcurrentQueue<JsonRpcMessage> Received { get; } = new();

    public static async Task<RawClient> ConnectAsync(GatewayFixture gateway, ClaimsPrincipal user, string era)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        McpServerOptions options = gateway.Services.GetRequiredService<IOptionsFactory<McpServerOptions>>().Create(Options.DefaultName);
        McpServer server = McpServer.Create(
            new UserTransport(new StreamServerTransport(toServer.Reader.AsStream(), toClient.Writer.AsStream()), user), options, serviceProvider: gateway.Services);
        _ = server.RunAsync();
        ITransport transport = await new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream()).ConnectAsync();
        var client = new RawClient(transport, era != "2025-11-25");
        if (!client._isStateless)
        {
            await client.RequestAsync("initialize", new JsonObject
            {
                ["protocolVersion"] = era,
                ["capabilities"] = new JsonObject(),
                ["clientInfo"] = new JsonObject { ["name"] = "raw", ["version"] = "1" },
            });
            await transport.SendMessageAsync(new JsonRpcNotification { Method = "notifications/initialized" });
        }

        return client;
    }

    public async Task<JsonNode> CallAsync(string tool, string? token = null, string? level = null, JsonObject? arguments = null)
    {
        var meta = new JsonObject();
        if (token is not null)
        {
            meta["progressToken"] = token;
        }

        if (level is not null && _isStateless)
        {
            meta["io.modelcontextprotocol/logLevel"] = level;
        }

        return await RequestAsync("tools/call", new JsonObject { ["name"] = tool, ["arguments"] = arguments ?? [], ["_meta"] = meta });
    }

    /// <summary>Opens the listen stream "listen-1" and returns its acknowledgement.</summary>
    public async Task<JsonNode> ListenAsync(JsonObject notifications)
    {
        _ = SendAsync("listen-1", "subscriptions/listen", new JsonObject { ["notifications"] = notifications });
        JsonRpcNotification? acknowledged = null;
        await Eventually.True(() => (acknowledged = Received.OfType<JsonRpcNotification>().FirstOrDefault(told => told.Method == "notifications/subscriptions/acknowledged")) is not null);
        return acknowledged!.Params!;
    }

    public Task<JsonNode> RequestAsync(string method, JsonObject parameters) => SendAsync("r" + Interlocked.Increment(ref _id), method, parameters);

    /// <summary>Cancels the newest request. The client of the SDK does not always say so.</summary>
    public Task CancelAsync() => _transport.SendMessageAsync(new JsonRpcNotification { Method = "notifications/cancelled", Params = new JsonObject { ["requestId"] = "r" + _id } });

    private async Task<JsonNode> SendAsync(string id, string method, JsonObject parameters)
    {
        var waiting = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = waiting;
        if (_isStateless)
        {
            var meta = (JsonObject?)parameters["_meta"] ?? [];
            parameters["_meta"] = meta;
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28";
            meta["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = "raw", ["version"] = "1" };
            meta["io.modelcontextprotocol/clientCapabilities"] = new JsonObject();
        }

        await _transport.SendMessageAsync(new JsonRpcRequest { Id = new RequestId(id), Method = method, Params = parameters });
        return await waiting.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    private async Task ReadAsync()
    {
        await foreach (JsonRpcMessage message in _transport.MessageReader.ReadAllAsync())
        {
            Received.Enqueue(message);
            switch (message)
            {
                case JsonRpcResponse response when _waiting.TryRemove(response.Id.ToString(), out TaskCompletionSource<JsonNode>? waiting):
                    waiting.TrySetResult(response.Result!);
                    break;
                case JsonRpcError error when _waiting.TryRemove(error.Id.ToString(), out TaskCompletionSource<JsonNode>? waiting):
                    waiting.TrySetException(new McpProtocolException(error.Error.Message, (McpErrorCode)error.Error.Code));
                    break;
            }
        }
    }
}
