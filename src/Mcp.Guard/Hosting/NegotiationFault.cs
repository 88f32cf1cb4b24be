using ModelContextProtocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The faults of a handshake that tell the SDK to try the older protocol era. They are rebuilt without the server's text.
/// </summary>
internal static class NegotiationFault
{
    public static Exception? TryCopy(Exception failure) => failure switch
    {
        HttpRequestException http => new HttpRequestException(http.HttpRequestError, "The server refused the handshake at the HTTP layer.", null, http.StatusCode),
        McpProtocolException protocol when failure.GetType() == typeof(McpProtocolException) =>
            new McpProtocolException("The server refused the handshake.", protocol.ErrorCode),
        _ => null,
    };
}
