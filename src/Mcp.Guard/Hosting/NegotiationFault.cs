using ModelContextProtocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The faults of a handshake that tell the SDK to try the older protocol era. They are rebuilt without the server's text.
/// </summary>
internal static class NegotiationFault
{
    private const int MaxVersions = 16;

    /// <summary>A date, as every version of MCP is: the list of the server is text of the server.</summary>
    private static bool IsVersion(string? text) =>
        text is { Length: 10 } && text[4] == '-' && text[7] == '-' && text.Where((_, at) => at is not (4 or 7)).All(char.IsAsciiDigit);

    public static Exception? TryCopy(Exception failure) => failure switch
    {
        HttpRequestException http => new HttpRequestException(http.HttpRequestError, "The server refused the handshake at the HTTP layer.", null, http.StatusCode),
        UnsupportedProtocolVersionException unsupported => new UnsupportedProtocolVersionException(
            IsVersion(unsupported.Requested) ? unsupported.Requested : "unknown",
            unsupported.Supported.Where(IsVersion).Take(MaxVersions),
            "The server does not support the protocol version."),
        McpProtocolException protocol when failure.GetType() == typeof(McpProtocolException) =>
            new McpProtocolException("The server refused the handshake.", protocol.ErrorCode),
        _ => null,
    };
}
