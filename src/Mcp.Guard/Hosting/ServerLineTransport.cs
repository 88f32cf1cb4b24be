using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using System.Threading.Channels;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultLimit;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The standard streams of a launched server, a message a line. Who reads a reply judges it, records it and brings it to whoever waits; with the SDK's transport three
/// threads take part in that.
/// </summary>
/// <param name="serverId">For the log.</param>
/// <param name="input">What the server reads. Every message is one write.</param>
/// <param name="output">What the server writes, each line bounded already. Closing it ends a read that blocks.</param>
/// <param name="logger">Told of lines that are no messages.</param>
/// <param name="time">The clock.</param>
internal sealed class ServerLineTransport(string serverId, Stream input, Stream output, ILogger logger, TimeProvider time) : ITransport, IMessageSource
{
    private const int MaxKept = 64 * 1024;

    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    private readonly Channel<JsonRpcMessage> _unused = Channel.CreateBounded<JsonRpcMessage>(1);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly LineReader _lines = new(output, int.MaxValue - MaxKept);
    private ArrayBufferWriter<byte> _line = new(4096);
    private Utf8JsonWriter? _writer;
    private bool _isTorn; // the message before may have been given up in its middle: the next one starts a line of its own
    private long _unreadable;

    public string? SessionId => null;

    /// <summary>Empty: the messages go to whoever called <see cref="ReadAllAsync"/>.</summary>
    public ChannelReader<JsonRpcMessage> MessageReader => _unused.Reader;

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_isTorn)
            {
                "\n"u8.CopyTo(_line.GetSpan(1));
                _line.Advance(1);
            }

            _writer ??= new Utf8JsonWriter(_line, new JsonWriterOptions { MaxDepth = MessageLimits.MaxDepth + 8, SkipValidation = true });
            JsonSerializer.Serialize(_writer, message, MessageType);
            _writer.Flush();
            _line.GetSpan(1)[0] = (byte)'\n';
            _line.Advance(1);

            // Where the server does not read, nobody's thread waits for it: the stream is one that writes what the pipe takes and then waits without one.
            _isTorn = true;
            await input.WriteAsync(_line.WrittenMemory, cancellationToken).ConfigureAwait(false);
            _isTorn = false;
        }
        finally
        {
            if (_line.Capacity > MaxKept)
            {
                _writer = null;
                _line = new(4096);
            }
            else
            {
                _writer?.Reset();
                _line.ResetWrittenCount();
            }

            _writing.Release();
        }
    }

    public async Task ReadAllAsync(Action<JsonRpcMessage> receive, CancellationToken stop)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var thread = new MessageThread("mcp-guard server " + serverId, TakeNext, time);
        using CancellationTokenRegistration registration = stop.UnsafeRegister(static ended => ((TaskCompletionSource)ended!).TrySetResult(), ended);
        thread.Start();
        await ended.Task.ConfigureAwait(false);

        bool TakeNext()
        {
            try
            {
                if (!_lines.TryRead(out ReadOnlySpan<byte> line))
                {
                    ended.TrySetResult();
                    return false;
                }

                // Once stopped it only empties the pipe, until the process is gone: a server that is to end by itself must be able to say its last words.
                if (!stop.IsCancellationRequested && Read(line) is { } message)
                {
                    receive(message);
                }

                return true;
            }
            catch (Exception failure)
            {
                ended.TrySetException(failure);
                return false;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _unused.Writer.TryComplete();
        return default;
    }

    /// <summary>Null for a line that is no message: servers write banners and debug output where the protocol is.</summary>
    private JsonRpcMessage? Read(ReadOnlySpan<byte> line)
    {
        if (line.Trim(" \t\r"u8).IsEmpty)
        {
            return null;
        }

        try
        {
            // As a reader of text has it: what is no UTF-8 becomes replacement characters, which everybody reads alike.
            return Utf8.IsValid(line) ? JsonSerializer.Deserialize(line, MessageType) : JsonSerializer.Deserialize(Encoding.UTF8.GetString(line), MessageType);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            if (long.IsPow2(++_unreadable))
            {
                HostingLog.UnreadableLine(logger, serverId, _unreadable);
            }

            return null;
        }
    }
}
