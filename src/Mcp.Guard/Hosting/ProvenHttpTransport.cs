using System.Threading.Channels;
using Mcp.Guard.Stages.ServerAdmission;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// An HTTP transport that the host built over the guard's client. Nobody can see into a transport, but what it sends can be seen to come by: where its first
/// message was sent and the guard's handler saw no request, the transport uses another one, and the connection ends there.
/// </summary>
internal sealed class ProvenHttpTransport(string serverId, IClientTransport inner, AdmissionHandler handler, ILogger logger) : IClientTransport
{
    public string Name => inner.Name;

    public async Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default) =>
        new Session(serverId, await inner.ConnectAsync(cancellationToken).ConfigureAwait(false), handler, logger);

    private sealed class Session(string serverId, ITransport inner, AdmissionHandler handler, ILogger logger) : ITransport
    {
        private volatile bool _proven;

        public string? SessionId => inner.SessionId;

        public ChannelReader<JsonRpcMessage> MessageReader => inner.MessageReader;

        public async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
        {
            await inner.SendMessageAsync(message, cancellationToken).ConfigureAwait(false);
            if (_proven)
            {
                return;
            }

            if (handler.Requests == 0)
            {
                // The client may only see that the connection ended; the host's author reads why here.
                HostingLog.ForeignHttpClient(logger, serverId);
                await inner.DisposeAsync().ConfigureAwait(false);
                throw new McpGuardException(
                    $"The transport given for the server '{serverId}' does not send through the HttpClient that the guard made for it. Build the HttpClientTransport over that client.");
            }

            _proven = true;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
