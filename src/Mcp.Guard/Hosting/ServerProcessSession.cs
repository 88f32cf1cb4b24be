using System.Threading.Channels;
using Mcp.Guard.Isolation;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>A connection to a process that the guard started: with the connection ends the process and all that it started.</summary>
internal sealed class ServerProcessSession(ITransport streams, ServerProcess process) : ITransport, ILaunchedServer
{
    public string? SessionId => streams.SessionId;

    public ChannelReader<JsonRpcMessage> MessageReader => streams.MessageReader;

    public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default) => streams.SendMessageAsync(message, cancellationToken);

    public async Task EndAsync(bool atOnce)
    {
        if (atOnce)
        {
            process.Kill();
        }

        await process.DisposeAsync().ConfigureAwait(false);
    }

    public IMessageSource? Messages => streams as IMessageSource;

    public void OnOverLimit(Action<string> told) => process.OnOverLimit(told);

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync().ConfigureAwait(false);
        await streams.DisposeAsync().ConfigureAwait(false);
    }
}
