using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultLimit;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// The standard streams of a gateway's one client, a message a line. Calls of tools go to the gateway on the thread that read them, everything else to the SDK's
/// server: in between lie two queues and four changes of threads, which cost more than the judgement of a call.
/// </summary>
/// <param name="input">What the client writes. Read with calls that block, one thread at a time.</param>
/// <param name="output">What the client reads. Every message is one write.</param>
/// <param name="maxLineBytes">The longest line; a longer one ends the connection.</param>
/// <param name="exceeded">Told once of such a line.</param>
/// <param name="time">The clock.</param>
internal sealed class ClientLineTransport(Stream input, Stream output, int maxLineBytes, Action<MessageTooLargeException> exceeded, TimeProvider time) : ITransport
{
    /// <summary>Calls that may be open here, those whose answers wait for the client included; further ones take the way of the SDK's server, which has bounds of its own.</summary>
    private const int MaxOpen = 256;

    private const int MinBuffer = 64 * 1024;

    private static readonly JsonTypeInfo<JsonRpcMessage> MessageType = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));

    /// <summary>Messages that wait for the SDK's server, which takes each at once: a client that writes faster is read more slowly.</summary>
    private const int MaxWaiting = 256;

    private readonly Channel<JsonRpcMessage> _toServer = Channel.CreateBounded<JsonRpcMessage>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly ConcurrentDictionary<RequestId, CancellationTokenSource> _calls = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ArrayBufferWriter<byte> _line = new(MinBuffer);
    private Utf8JsonWriter? _writer;
    private readonly LineReader _lines = new(input, maxLineBytes);
    private MessageThread? _thread;
    private int _open = 1; // this connection itself, until its input ends

    /// <summary>Whether a call is answered by <see cref="Answer"/>; the others go to the SDK's server.</summary>
    public Func<CallLine, bool>? Takes { get; init; }

    /// <summary>Answers a call that was taken.</summary>
    public Func<CallLine, CancellationToken, Task<JsonRpcMessageWithId>>? Answer { get; init; }

    /// <summary>Whether so many bytes can be written without waiting for the client; null where that cannot be known.</summary>
    public Func<int, bool>? HasRoom { get; init; }

    public string? SessionId => null;

    public ChannelReader<JsonRpcMessage> MessageReader => _toServer.Reader;

    /// <summary>Starts to read, on a thread of its own.</summary>
    public void Start()
    {
        _thread = new MessageThread("mcp-guard client", TakeNext, time);
        _thread.Start();
    }

    public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _writer ??= new Utf8JsonWriter(_line, new JsonWriterOptions { MaxDepth = MessageLimits.MaxDepth + 8, SkipValidation = true });
            JsonSerializer.Serialize(_writer, message, MessageType);
            _writer.Flush();
            _line.GetSpan(1)[0] = (byte)'\n';
            _line.Advance(1);

            if (HasRoom?.Invoke(_line.WrittenCount) != true)
            {
                // Whoever brings an answer may be the thread that judges the replies of a server, and must not wait for a client that does not read.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            output.Write(_line.WrittenSpan);
            output.Flush();
        }
        finally
        {
            if (_line.Capacity > MinBuffer)
            {
                _writer = null;
                _line = new(MinBuffer);
            }
            else
            {
                _writer?.Reset();
                _line.ResetWrittenCount();
            }

            _writing.Release();
        }
    }

    public ValueTask DisposeAsync()
    {
        foreach (CancellationTokenSource call in _calls.Values)
        {
            call.Cancel();
        }

        _toServer.Writer.TryComplete();
        _thread?.Dispose();
        return default;
    }

    private bool TakeNext()
    {
        try
        {
            if (!_lines.TryRead(out ReadOnlySpan<byte> line))
            {
                End();
                return false;
            }

            TakeLine(line);
            return true;
        }
        catch (MessageTooLargeException tooLarge)
        {
            exceeded(tooLarge);
            End();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or UnauthorizedAccessException or NotSupportedException)
        {
            End(); // the client has gone
        }

        return false;
    }

    private void TakeLine(ReadOnlySpan<byte> line)
    {
        if (line.Trim(" \t\r"u8).IsEmpty)
        {
            return;
        }

        if (Answer is not null && Volatile.Read(ref _open) <= MaxOpen && CallLine.TryRead(line, out CallLine call) && IsTaken(call))
        {
            var cancel = new CancellationTokenSource();
            if (_calls.TryAdd(call.Id, cancel))
            {
                // Of the line nothing is needed any more. Judging a call can take its time (a file system that hangs), and holds nothing up.
                Interlocked.Increment(ref _open);
                _thread!.MayBeRelieved();
                _ = AnswerAsync(call, cancel);
                return;
            }

            cancel.Dispose(); // an id that is in use: the SDK's server says what that means
        }

        Pass(line);
    }

    private bool IsTaken(CallLine call)
    {
        try
        {
            return Takes?.Invoke(call) == true;
        }
        catch (Exception)
        {
            return false; // a fault about one message never ends the reading; the other way says what is wrong with it
        }
    }

    private void Pass(ReadOnlySpan<byte> line)
    {
        JsonRpcMessage? message;
        try
        {
            message = JsonSerializer.Deserialize(line, MessageType);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            // As the transport of the SDK answers it: who asked is told where its id can be read; without one nobody waits.
            if (TryRecoverId(line, out RequestId id))
            {
                _ = AnswerErrorAsync(id, McpErrorCode.ParseError, "Failed to parse the JSON-RPC request.");
            }

            return;
        }

        if (message is null)
        {
            return;
        }

        if (message is JsonRpcNotification { Method: MethodTable.Cancelled } cancelled && IdOf(cancelled.Params) is { } cancelledId
            && _calls.TryGetValue(cancelledId, out CancellationTokenSource? call))
        {
            _ = CancelAsync(call);
        }

        // False from both once the connection has ended: then nobody is there to take it.
        while (!_toServer.Writer.TryWrite(message) && _toServer.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
        {
        }
    }

    private async Task AnswerErrorAsync(RequestId id, McpErrorCode code, string message)
    {
        try
        {
            await SendMessageAsync(new JsonRpcError { Id = id, Error = new JsonRpcErrorDetail { Code = (int)code, Message = message } }).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or ObjectDisposedException)
        {
            // The client has gone; the reading learns of it.
        }
    }

    private async Task AnswerAsync(CallLine call, CancellationTokenSource cancel)
    {
        try
        {
            await SendMessageAsync(await Answer!(call, cancel.Token).ConfigureAwait(false), cancel.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Who cancels is not answered.
        }
        catch (Exception)
        {
            await AnswerErrorAsync(call.Id, McpErrorCode.InternalError, "An error occurred.").ConfigureAwait(false);
        }
        finally
        {
            _calls.TryRemove(call.Id, out _);
            Close();
        }
    }

    private static async Task CancelAsync(CancellationTokenSource call)
    {
        try
        {
            await call.CancelAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // It has ended.
        }
    }

    /// <summary>The input has ended: the SDK's server ends once the calls that are still open are answered, as it waits for its own.</summary>
    private void End()
    {
        _answered.Task.ContinueWith(static (_, state) => ((Channel<JsonRpcMessage>)state!).Writer.TryComplete(), _toServer, TaskScheduler.Default);
        Close();
    }

    private void Close()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _answered.TrySetResult();
        }
    }

    private static RequestId? IdOf(JsonNode? parameters)
    {
        try
        {
            return parameters is JsonObject members && members["requestId"] is JsonValue id
                ? id.GetValueKind() switch
                {
                    JsonValueKind.String => new RequestId(id.GetValue<string>()),
                    JsonValueKind.Number when id.TryGetValue(out long number) => new RequestId(number),
                    _ => null,
                }
                : null;
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or InvalidOperationException or JsonException)
        {
            return null; // a member twice: a cancellation of nothing (MCP: invalid ones are ignored)
        }
    }

    private static bool TryRecoverId(ReadOnlySpan<byte> line, out RequestId id)
    {
        id = default;
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = int.MaxValue });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isId = reader.ValueTextEquals("id"u8);
                if (!reader.Read())
                {
                    return false;
                }

                if (isId && reader.TokenType == JsonTokenType.String)
                {
                    id = new RequestId(reader.GetString()!);
                    return true;
                }

                if (isId)
                {
                    bool isNumber = reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) && (id = new RequestId(number)).Id is not null;
                    return isNumber;
                }

                reader.Skip();
            }
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // Nobody can be told.
        }

        return false;
    }
}
