using System.Diagnostics;
using System.Threading.Channels;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Benchmarks.RoundTrips;

/// <summary>
/// The least that something between client and server can do: messages are passed on as they are, with a loop of its own on the way back. With work, it also
/// keeps the processor busy for so long before each message: what any guard costs that takes this time and is otherwise perfect. Or it does something before
/// each message that it sends.
/// </summary>
internal sealed class PassingTransport(IClientTransport inner, TimeSpan work = default, Action? onSend = null) : IClientTransport
{
    public string Name => inner.Name;

    public async Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) => new Session(await inner.ConnectAsync(cancellationToken), work, onSend);

    private sealed class Session : ITransport
    {
        private readonly ITransport _inner;
        private readonly Channel<JsonRpcMessage> _channel = Channel.CreateUnbounded<JsonRpcMessage>(new UnboundedChannelOptions { SingleReader = true });
        private readonly TimeSpan _work;
        private readonly Action? _onSend;
        private readonly Task _pump;

        public Session(ITransport inner, TimeSpan work, Action? onSend)
        {
            _inner = inner;
            _work = work;
            _onSend = onSend;
            _pump = Task.Run(PumpAsync);
        }

        public string? SessionId => _inner.SessionId;

        public ChannelReader<JsonRpcMessage> MessageReader => _channel.Reader;

        public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
        {
            Work();
            _onSend?.Invoke();
            return _inner.SendMessageAsync(message, cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _inner.DisposeAsync();
            await _pump;
        }

        private void Work()
        {
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < _work)
            {
                // Nothing else: a cache that stays warm, unlike that of real work.
            }
        }

        private async Task PumpAsync()
        {
            Exception? end = null;
            try
            {
                await foreach (JsonRpcMessage message in _inner.MessageReader.ReadAllAsync())
                {
                    Work();
                    _channel.Writer.TryWrite(message);
                }
            }
            catch (Exception failure)
            {
                end = failure;
            }

            _channel.Writer.TryComplete(end);
        }
    }
}
