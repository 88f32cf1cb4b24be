using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Mcp.Guard.Gateway;
using Mcp.Guard.Stages.ResultLimit;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>The streams of a gateway's client: what goes to the gateway and what to the SDK, ends, limits and cancellation.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ClientLineTransportTests : IDisposable
{
    private const int MaxLine = 200_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly Pipe _toGateway = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Pipe _toClient = new();
    private readonly List<MessageTooLargeException> _exceeded = [];
    private readonly TaskCompletionSource<JsonObject> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StreamReader _client;
    private readonly ClientLineTransport _transport;
    private Func<CallLine, bool> _takes = static _ => true;

    public ClientLineTransportTests()
    {
        _client = new StreamReader(_toClient.Reader.AsStream());
        _transport = new ClientLineTransport(_toGateway.Reader.AsStream(), _toClient.Writer.AsStream(), MaxLine, _exceeded.Add, TimeProvider.System)
        {
            Takes = call => _takes(call),
            Answer = async (call, ct) => new JsonRpcResponse { Id = call.Id, Result = await _result.Task.WaitAsync(ct) },
        };
        _transport.Start();
    }

    public void Dispose()
    {
        _result.TrySetResult([]);
        _toGateway.Writer.Complete();
        _client.Dispose();
    }

    private static string Call(string id) => $$$"""{"jsonrpc":"2.0","id":"{{{id}}}","method":"tools/call","params":{"name":"t"}}""";

    private async Task WriteAsync(string text) => await _toGateway.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    private async Task<string> ReadAsync() => (await _client.ReadLineAsync().WaitAsync(Limit))!;

    private async Task<JsonRpcMessage> PassedAsync() => await _transport.MessageReader.ReadAsync().AsTask().WaitAsync(Limit);

    [Test]
    public async Task Read_CallAndOthers_GoTheirOwnWays()
    {
        await WriteAsync("\uFEFF" + """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""" + "\r\n\n  \n" + Call("a") + "\n" + """{"jsonrpc":"2.0","method":"notifications/initialized"}""" + "\n");
        Assert.That(await PassedAsync(), Is.InstanceOf<JsonRpcRequest>());
        Assert.That(await PassedAsync(), Is.InstanceOf<JsonRpcNotification>(), "a call that is open holds nothing up");
        _result.SetResult(new JsonObject { ["content"] = new JsonArray() });
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(await ReadAsync()), JsonNode.Parse("""{"jsonrpc":"2.0","id":"a","result":{"content":[]}}""")), Is.True);
    }

    [Test]
    public async Task Read_CallThatIsNotTaken_GoesToTheSdk()
    {
        _takes = static _ => false;
        await WriteAsync(Call("a") + "\n");
        Assert.That(((JsonRpcRequest)await PassedAsync()).Id.ToString(), Is.EqualTo("a"));
    }

    [Test]
    public async Task Read_IdInUse_GoesToTheSdk()
    {
        await WriteAsync(Call("a") + "\n" + Call("a") + "\n");
        Assert.That(((JsonRpcRequest)await PassedAsync()).Id.ToString(), Is.EqualTo("a"));
    }

    [Test]
    public async Task Read_ByteByByte_IsTheSame()
    {
        _result.SetResult([]);
        foreach (char c in Call("slow") + "\n")
        {
            await WriteAsync(c.ToString());
        }

        Assert.That(await ReadAsync(), Does.Contain("\"slow\""));
    }

    [Test]
    public async Task Read_MoreThanTheSdkTakes_WaitsAndLosesNothing()
    {
        const int sent = 1_000;
        await WriteAsync(string.Concat(Enumerable.Range(0, sent).Select(static i => $$$"""{"jsonrpc":"2.0","id":{{{i}}},"method":"ping"}""" + "\n")));
        await Eventually.True(() => _transport.MessageReader.Count == 256);
        for (int i = 0; i < sent; i++)
        {
            Assert.That(_transport.MessageReader.Count, Is.LessThanOrEqualTo(256));
            Assert.That(((JsonRpcRequest)await PassedAsync()).Id.ToString(), Is.EqualTo(i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    [Test]
    public async Task Read_LinesLargerThanTheBuffer_AreWhole()
    {
        _result.SetResult([]);
        string filler = new('x', 150_000);
        await WriteAsync($$$"""{"jsonrpc":"2.0","id":"large","method":"tools/call","params":{"name":"{{{filler}}}"}}""" + "\n" + Call("after") + "\n");
        Assert.That(new[] { await ReadAsync(), await ReadAsync() }, Has.Some.Contains("\"large\"").And.Some.Contains("\"after\""));
        Assert.That(_exceeded, Is.Empty);
    }

    [TestCase("")]
    [TestCase("\n")]
    public async Task Read_LineOverTheLimit_EndsTheConnection(string end)
    {
        await WriteAsync(Call("a") + "\n" + new string('x', MaxLine + 1) + end);
        _result.SetResult([]);
        Assert.That(await ReadAsync(), Does.Contain("\"a\""), "what came before is answered");
        await _transport.MessageReader.Completion.WaitAsync(Limit);
        Assert.That(_exceeded, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Read_Cancelled_EndsTheCallWithoutAnAnswer()
    {
        await WriteAsync(Call("a") + "\n" + """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}""" + "\n" + """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"b","requestId":"c"}}""" + "\n");
        Assert.That(await PassedAsync(), Is.InstanceOf<JsonRpcNotification>(), "the SDK is told too");
        await _toGateway.Writer.CompleteAsync();
        await DrainAsync().WaitAsync(Limit);
        Assert.That(_result.Task.IsCompleted, Is.False, "the connection ended without the call's result");
    }

    [Test]
    public async Task Read_EndOfInput_WaitsForOpenCalls()
    {
        await WriteAsync(Call("a")); // without its line feed
        await _toGateway.Writer.CompleteAsync();
        Assert.That(_transport.MessageReader.Completion.IsCompleted, Is.False);
        _result.SetResult([]);
        Assert.That(await ReadAsync(), Does.Contain("\"a\""));
        await _transport.MessageReader.Completion.WaitAsync(Limit);
    }

    [Test]
    public async Task Read_Unreadable_IsAnsweredWhereItHasAnId()
    {
        await WriteAsync("nonsense\n[]\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\n" + """{"id":8,"jsonrpc":"2.0","method":3}""" + "\n");
        Assert.That(JsonNode.Parse(await ReadAsync())!["id"]!.GetValue<int>(), Is.AnyOf(7, 8));
        await WriteAsync(Call("after") + "\n");
        _result.SetResult([]);
        string line;
        do
        {
            line = await ReadAsync();
        }
        while (!line.Contains("after", StringComparison.Ordinal));
    }

    private async Task DrainAsync()
    {
        await foreach (JsonRpcMessage _ in _transport.MessageReader.ReadAllAsync())
        {
            // What the SDK would have read.
        }
    }
}
