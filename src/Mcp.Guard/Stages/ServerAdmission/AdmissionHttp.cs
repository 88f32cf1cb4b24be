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
    public static AdmissionHandler CreateHandler(UrlAllowlist allowlist, AdmissionHttpOptions options) =>
        new AdmissionHandler(allowlist, options, new BoundingHttpHandler(CreateConnector(allowlist, options), options.MaxResponseBytes, options.ResponseTooLarge));

    private static SocketsHttpHandler CreateConnector(UrlAllowlist allowlist, AdmissionHttpOptions options)
    {
        var handler = new SocketsHttpHandler();
        options.Configure?.Invoke(handler);
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None; // a small body could become a large one behind the limit
        handler.UseCookies = false;
        handler.UseProxy = options.UseEnvironmentProxy;
        handler.Proxy = options.UseEnvironmentProxy ? HttpClient.DefaultProxy : null;
        handler.DefaultProxyCredentials = null;
        handler.Credentials = null;
        handler.PreAuthenticate = false;
        handler.ConnectTimeout = options.ConnectTimeout;
        handler.PooledConnectionLifetime = options.ConnectionLifetime;
        handler.MaxResponseHeadersLength = 64;
        handler.ConnectCallback = (context, ct) => ConnectAsync(allowlist, options, context, ct);
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(
        UrlAllowlist allowlist, AdmissionHttpOptions options, SocketsHttpConnectionContext context, CancellationToken ct)
    {
        string host = context.DnsEndPoint.Host;
        int port = context.DnsEndPoint.Port;
        bool isTls = string.Equals(context.InitialRequestMessage.RequestUri?.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? literal)
            ? [literal]
            : await ResolveAsync(options.Resolver, host, ct).ConfigureAwait(false);
        if (!IsProxy(options, context) && !Judge(allowlist, options, isTls, host, port, addresses, out UrlVerdict verdict))
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

        throw last ?? new SocketException((int)SocketError.HostNotFound); // a proxy whose name has no address
    }

    private static bool Judge(UrlAllowlist allowlist, AdmissionHttpOptions options, bool isTls, string host, int port, IPAddress[] addresses, out UrlVerdict verdict)
    {
        verdict = allowlist.CheckConnection(isTls, host, port, addresses);
        if (verdict.IsAllowed)
        {
            return true;
        }

        UrlVerdict authorization = options.Authorization.CheckConnection(isTls, host, port, addresses);
        verdict = authorization.IsAllowed ? authorization : verdict;
        return authorization.IsAllowed;
    }

    /// <summary>Whether the connection goes to the proxy that the environment names for the request, which the host's administrator chose.</summary>
    private static bool IsProxy(AdmissionHttpOptions options, SocketsHttpConnectionContext context) =>
        options.UseEnvironmentProxy && context.InitialRequestMessage.RequestUri is { } uri && !HttpClient.DefaultProxy.IsBypassed(uri)
        && HttpClient.DefaultProxy.GetProxy(uri) is { } proxy
        && string.Equals(proxy.IdnHost, context.DnsEndPoint.Host, StringComparison.OrdinalIgnoreCase) && proxy.Port == context.DnsEndPoint.Port;

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
