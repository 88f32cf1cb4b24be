namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// Bounds what an HTTP server can make the reader buffer, while it is read: a body as a whole, and each event of an event stream, which may go on for days.
/// Compressed responses are refused: nothing asked for them, and what they decode to cannot be judged by their length.
/// </summary>
/// <param name="inner">The handler that talks to the server.</param>
/// <param name="maxMessageBytes">The longest body and the longest event.</param>
/// <param name="exceeded">Told when a limit is passed, in the flow of control that reads; must not throw.</param>
internal sealed class BoundingHttpHandler(HttpMessageHandler inner, long maxMessageBytes, Action<MessageTooLargeException>? exceeded = null)
    : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            Bound(response);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("guarded HTTP is asynchronous");

    private void Bound(HttpResponseMessage response)
    {
        // "identity" says that there is no encoding; the SDK's own server sends it with event streams.
        if (response.Content.Headers.ContentEncoding.Any(encoding => !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase)))
        {
            throw new HttpRequestException("the response is compressed, which was not asked for");
        }

        if (string.Equals(response.Content.Headers.ContentType?.MediaType, "text/event-stream", StringComparison.OrdinalIgnoreCase))
        {
            response.Content = new BoundedHttpContent(response.Content, body => new BoundedEventStream(body, maxMessageBytes, exceeded));
            return;
        }

        if (response.Content.Headers.ContentLength > maxMessageBytes)
        {
            var fault = new MessageTooLargeException("a response body", maxMessageBytes);
            exceeded?.Invoke(fault);
            throw fault;
        }

        response.Content = new BoundedHttpContent(response.Content, body => new BoundedBodyStream(body, maxMessageBytes, exceeded));
    }
}
