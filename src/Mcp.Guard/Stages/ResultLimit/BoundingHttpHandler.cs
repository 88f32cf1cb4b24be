namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// Bounds what an HTTP server can make the reader buffer: a body as a whole, and each event of an event stream. It stands outside the handler that
/// decompresses, so that the decoded bytes count.
/// </summary>
/// <param name="inner">The handler that talks to the server.</param>
/// <param name="maxMessageBytes">The longest body and the longest event.</param>
/// <param name="exceeded">Told when a limit is passed; must not throw.</param>
internal sealed class BoundingHttpHandler(HttpMessageHandler inner, long maxMessageBytes, Action<MessageTooLargeException>? exceeded = null)
    : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Bound(await base.SendAsync(request, cancellationToken));

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Bound(base.Send(request, cancellationToken));

    private HttpResponseMessage Bound(HttpResponseMessage response)
    {
        if (string.Equals(response.Content.Headers.ContentType?.MediaType, "text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            response.Content = new BoundedHttpContent(response.Content, body => new BoundedEventStream(body, maxMessageBytes, exceeded));
            return response;
        }

        if (response.Content.Headers.ContentLength > maxMessageBytes)
        {
            response.Dispose();
            var fault = new MessageTooLargeException("a response body", maxMessageBytes);
            exceeded?.Invoke(fault);
            throw fault;
        }

        response.Content = new BoundedHttpContent(response.Content, body => new BoundedBodyStream(body, maxMessageBytes, exceeded));
        return response;
    }
}
