using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Mcp.Guard.Cli.Run;

/// <summary>
/// Which requests a gateway on loopback reads at all: those that name this very address as their host, and come from no other page of a browser. A site that makes
/// its own name resolve to 127.0.0.1 sends that name (DNS rebinding; MCP 2025-11-25, basic/transports, security warning).
/// </summary>
internal sealed class LoopbackRequests(int port)
{
    /// <summary>The port of "http" (RFC 9110 section 4.2.1), which clients leave out.</summary>
    private const int HttpPort = 80;

    public bool Admits(HttpRequest request) =>
        request.Headers.Host is { Count: 1 } host
        && IsOwn(host[0])
        && request.Headers.Origin is var origin
        && (origin.Count == 0 || (origin.Count == 1 && IsOwnOrigin(origin)));

    private bool IsOwnOrigin(StringValues origin) =>
        origin[0] is { } text && text.StartsWith("http://", StringComparison.Ordinal) && IsOwn(text["http://".Length..]);

    private bool IsOwn(string? host) =>
        string.Equals(host, $"127.0.0.1:{port}", StringComparison.Ordinal) || string.Equals(host, $"localhost:{port}", StringComparison.OrdinalIgnoreCase)
        || (port == HttpPort && (string.Equals(host, "127.0.0.1", StringComparison.Ordinal) || string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)));
}
