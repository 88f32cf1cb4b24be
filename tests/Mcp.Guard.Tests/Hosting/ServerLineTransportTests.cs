using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Mcp.Guard.Hosting;
using Mcp.Guard.Isolation.Launch;
using Microsoft.Extensions.Logging.Abstractions;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>The streams of a launched server: what is a message, what ends the reading, what is written.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ServerLineTransportTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly Channel<JsonRpcMessage> _received = Channel.CreateUnbounded<JsonRpcMessage>();
    private readonly CancellationTokenSource _stop = new();

    public void Dispose()
    {
        _output.Writer.Complete();
        _stop.Dispose();
    }

    private ServerLineTransport Transport(Stream? input = null, Stream? output = null) =>
        new("files", input ?? Stream.Null, output ?? _output.Reader.AsStream(), NullLogger.Instance, TimeProvider.System);

    private Task Start() => Transport().ReadAllAsync(message => _received.Writer.TryWrite(message), _stop.Token);

    private async Task WriteAsync(params byte[] bytes) => await _output.Writer.WriteAsync(bytes);

    private async Task<JsonRpcMessage> ReceivedAsync() => await _received.Reader.ReadAsync().AsTask().WaitAsync(Limit);

    [Test]
    public async Task Read_LinesThatAreNoMessages_ArePassedOver()
    {
        _ = Start();
        await WriteAsync(Encoding.UTF8.GetBytes("\uFEFFServer is ready.\n\n \r\n{\"jsonrpc\":\"2.0\"\n[]\n42\nnull\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r\n"));
        Assert.That(((JsonRpcResponse)await ReceivedAsync()).Id.ToString(), Is.EqualTo("1"));
    }

    [Test]
    public async Task Read_TextThatIsNoUnicode_IsReadWithReplacements()
    {
        _ = Start();
        await WriteAsync([.. "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\""u8, 0xC3, 0x28, .. "\"}}\n"u8]);
        Assert.That(((JsonRpcResponse)await ReceivedAsync()).Result!["a"]!.GetValue<string>(), Is.EqualTo("\uFFFD("));
    }

    [Test]
    public async Task Read_ManyMessages_KeepTheirOrder()
    {
        Task reading = Start();
        const int sent = 2_000;
        await WriteAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, sent).Select(static i => $$$"""{"jsonrpc":"2.0","method":"m{{{i}}}"}""" + "\n"))));
        for (int i = 0; i < sent; i++)
        {
            Assert.That(((JsonRpcNotification)await ReceivedAsync()).Method, Is.EqualTo("m" + i));
        }

        await _output.Writer.CompleteAsync();
        await reading.WaitAsync(Limit);
    }

    [Test]
    public async Task Read_Stopped_EndsAndEmptiesThePipe()
    {
        Task reading = Start();
        await _stop.CancelAsync();
        await reading.WaitAsync(Limit);
        await WriteAsync("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"u8.ToArray());
        await WriteAsync(new byte[100_000]);
        await _output.Writer.CompleteAsync();
        Assert.That(_received.Reader.TryRead(out _), Is.False);
    }

    [Test]
    public void Read_StreamThatFails_EndsWithItsFault()
    {
        _output.Writer.Complete(new IOException("gone"));
        Assert.That(async () => await Start().WaitAsync(Limit), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Send_GivenUpInItsMiddle_IsNotPartOfTheNext()
    {
        var server = new Pipe(new PipeOptions(pauseWriterThreshold: 10, resumeWriterThreshold: 5));
        ServerLineTransport transport = Transport(server.Writer.AsStream());
        using var cancel = new CancellationTokenSource();
        Task first = transport.SendMessageAsync(new JsonRpcNotification { Method = "first" }, cancel.Token);
        await cancel.CancelAsync();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        Task second = transport.SendMessageAsync(new JsonRpcNotification { Method = "second" }, CancellationToken.None);
        using var reader = new StreamReader(server.Reader.AsStream());
        string line;
        do
        {
            line = (await reader.ReadLineAsync().WaitAsync(Limit))!;
        }
        while (!line.Contains("second", StringComparison.Ordinal));
        await second;
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(line), JsonNode.Parse("""{"jsonrpc":"2.0","method":"second"}""")), Is.True);
    }

    [Test]
    [Platform("Linux")]
    public async Task ChildOutput_ClosedWhileItIsRead_EndsTheRead()
    {
        (LinuxDescriptor read, LinuxDescriptor write) = LinuxDescriptor.Pipe();
        using LinuxDescriptor _ = write;
        var output = new ChildOutput(read);
        Task<int> reading = Task.Factory.StartNew(() => output.Read(new byte[10].AsSpan()), TaskCreationOptions.LongRunning);
        await Task.Yield();
        await output.DisposeAsync();
        Assert.That(await reading.WaitAsync(Limit), Is.Zero);
        Assert.That(output.Read(new byte[10].AsSpan()), Is.Zero, "and stays ended");
    }

    [Test]
    [Platform("Linux")]
    public async Task ChildOutput_BothWaysOfReading_GiveTheSame([Values] bool blocks)
    {
        (LinuxDescriptor read, LinuxDescriptor write) = LinuxDescriptor.Pipe();
        await using var output = new ChildOutput(read);
        await using (var writer = new FileStream(write.IntoFileHandle(), FileAccess.Write))
        {
            await writer.WriteAsync("line\n"u8.ToArray());
        }

        byte[] buffer = new byte[10];
        Assert.That(blocks ? output.Read(buffer.AsSpan()) : await output.ReadAsync(buffer.AsMemory()), Is.EqualTo(5));
        Assert.That(blocks ? output.Read(buffer.AsSpan()) : await output.ReadAsync(buffer.AsMemory()), Is.Zero);
    }
}
