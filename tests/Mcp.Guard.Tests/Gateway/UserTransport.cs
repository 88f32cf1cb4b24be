using System.Security.Claims;
using System.Threading.Channels;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Marks every message as one user's, as the HTTP transport does with the user that ASP.NET Core authenticated.</summary>
internal sealed class UserTransport : ITransport
{
    private readonly ITransport _inner;
    private readonly Channel<JsonRpcMessage> _messages = Channel.CreateUnbounded<JsonRpcMessage>();

    public UserTransport(ITransport inner, ClaimsPrincipal? user)
    {
        _inner = inner;
        _ = Task.Run(async () =>
        {
            await foreach (JsonRpcMessage message in inner.MessageReader.ReadAllAsync())
            {
                if (user is not null)
                {
                    (message.Context ??= new JsonRpcMessageContext()).User = user;
                }

                _messages.Writer.TryWrite(message);
            }

            _messages.Writer.TryComplete();
        });
    }

    public string? SessionId => _inner.SessionId;

    public ChannelReader<JsonRpcMessage> MessageReader => _messages.Reader;

    public Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default) => _inner.SendMessageAsync(message, cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();
}
