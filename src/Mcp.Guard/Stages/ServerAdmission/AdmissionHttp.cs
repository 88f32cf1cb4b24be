using System.Net;
using System.Net.Sockets;
using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Makes the HTTP handler of a guarded server: every URL, every redirect and every DNS answer is judged, and the connection goes to an address
/// that was judged, so that a second answer of DNS plays no part.
/// </summary>
internal static class AdmissionHttp
{
    /// <summary>The whole chain: limits, redirects, admission, connection. The caller disposes it.</summary>
    public static HttpMessageHandler CreateHandler(UrlAllowlist allowlist, AdmissionHttpOptions options) =>
        new AdmissionHandler(allowlist, options, new BoundingHttpHandler(CreateConnector(allowlist, options), options.MaxResponseBytes, options.ResponseTooLarge));

    private static SocketsHttpHandler CreateConnector(UrlAllowlist allowlist, AdmissionHttpOptions options)
    {
        var handler = new SocketsHttpHandler();
        options.Configure?.Invoke(handler);
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None; // a small body could become a large one behind the limit
        handler.UseCookies = false;
        handler.UseProxy = false;
        handler.Proxy = null;
        handler.DefaultProxyCredentials = null;
        handler.Credentials = null;
        handler.PreAuthenticate = false;
        handler.ConnectTimeout = options.ConnectTimeout;
        handler.PooledConnectionLifetime = options.ConnectionLifetime;
        handler.MaxResponseHeadersLength = 64;
        handler.ConnectCallback = (context, ct) => ConnectAsync(allowlist, options.Resolver, context, ct);
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(
        UrlAllowlist allowlist, IAddressResolver resolver, SocketsHttpConnectionContext context, CancellationToken ct)
    {
        string host = context.DnsEndPoint.Host;
        int port = context.DnsEndPoint.Port;
        bool isTls = string.Equals(context.InitialRequestMessage.RequestUri?.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal)
            ? [literal]
            : await ResolveAsync(resolver, host, ct).ConfigureAwait(false);
        UrlVerdict verdict = allowlist.CheckConnection(isTls, host, port, addresses);
        if (!verdict.IsAllowed)
        {
            throw new UrlRefusedException(verdict);
        }

        // The copy that was judged is the one that is used, in the resolver's order.
        Exception? last = null;
        foreach (IPAddress address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), ct).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last!;
    }

    private static async ValueTask<IPAddress[]> ResolveAsync(IAddressResolver resolver, string host, CancellationToken ct)
    {
        try
        {
            return [.. await resolver.ResolveAsync(host, ct).ConfigureAwait(false)];
        }
        catch (SocketException)
        {
            return []; // no answer: denied as such
        }
    }
}
