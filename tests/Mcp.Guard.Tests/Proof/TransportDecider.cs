using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Proof;

/// <summary>The library as a host with the SDK uses it: a client over the guarded transport, and a server at its end.</summary>
internal sealed class TransportDecider : IDecider
{
    private readonly RawServer _server;
    private readonly Channel<JsonRpcRequest> _arrived;
    private readonly Queue<(JsonRpcRequest Request, Task Call)> _open = new();
    private McpClient? _client;

    public TransportDecider(GuardUnderProof guard)
    {
        Guard = guard;
        var arrived = Channel.CreateUnbounded<JsonRpcRequest>();
        _arrived = arrived;
        _server = new RawServer
        {
            OnCall = (request, _, _) =>
            {
                arrived.Writer.TryWrite(request);
                return Task.CompletedTask;
            },
        };
    }

    public GuardUnderProof Guard { get; }

    public async ValueTask<bool> ListAsync(string server, IReadOnlyList<ToolModel> tools, CallerModel by)
    {
        JsonArray before = _server.Tools;
        _server.Tools = [.. tools.Select(static tool => tool.ToJson())];
        using IDisposable? scope = Scope(by);
        try
        {
            _client ??= await McpClient.CreateAsync(Guard.Guard.Protect(server, _server));
            await _client.ListToolsAsync();
            return true;
        }
        catch (McpGuardException)
        {
            _server.Tools = before;
            return false;
        }
    }

    public async ValueTask<Verdict> DecideAsync(Step.Call step)
    {
        (CallModel call, CallerModel by, AnswerModel answer, bool staysOpen, _) = step;
        Guard.Answer = answer;
        int before = Guard.Asked;
        using IDisposable? scope = Scope(by);
        Task<CallToolResult> calling = _client!.CallToolAsync(call.Target, Arguments(call)).AsTask();
        Task<JsonRpcRequest> arriving = _arrived.Reader.ReadAsync().AsTask();
        if (await Task.WhenAny(calling, arriving) == calling)
        {
            // The reader waits for the next call; a message of nobody ends that.
            _arrived.Writer.TryWrite(new JsonRpcRequest { Method = "none" });
            await arriving;
            string text = string.Concat((await calling).Content.OfType<TextContentBlock>().Select(static block => block.Text));
            int open = text.IndexOf('[', StringComparison.Ordinal), close = text.IndexOf(']', StringComparison.Ordinal);
            return new(open < 0 || close < open ? "no code: " + text : text[(open + 1)..close], Guard.Asked > before);
        }

        _open.Enqueue((await arriving, calling));
        if (!staysOpen)
        {
            await EndAsync(_open.Count - 1);
        }

        return new(null, Guard.Asked > before);
    }

    public ValueTask EndAsync() => EndAsync(0);

    public async ValueTask DisposeAsync()
    {
        while (_open.Count > 0)
        {
            await EndAsync();
        }

        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await Guard.DisposeAsync();
    }

    private async ValueTask EndAsync(int position)
    {
        if (position >= _open.Count)
        {
            return;
        }

        for (int i = 0, all = _open.Count; i < all; i++)
        {
            var call = _open.Dequeue();
            if (i != position)
            {
                _open.Enqueue(call);
                continue;
            }

            _server.Reply(call.Request.Id, RawServer.TextResult("done"));
            await call.Call;
        }
    }

    private IDisposable? Scope(CallerModel by) => by.ToCaller() is { } caller ? Guard.Guard.BeginScope(caller) : null;

    private Dictionary<string, object?> Arguments(CallModel call)
    {
        using JsonDocument document = JsonDocument.Parse(call.Params(Guard.Root));
        return document.RootElement.GetProperty("arguments").EnumerateObject().ToDictionary(static member => member.Name, static member => (object?)member.Value.Clone(), StringComparer.Ordinal);
    }
}
