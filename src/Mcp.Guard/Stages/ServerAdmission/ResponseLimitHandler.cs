using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>
/// Bounds responses while they are read, before anything buffers them: a body by its whole length, an event stream, which may go on for days,
/// by the length of one event.
/// </summary>
internal sealed class ResponseLimitHandler(long limit, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            // Length and form cannot be judged behind an encoding that was not asked for.
            if (response.Content.Headers.ContentEncoding.Count > 0)
            {
                throw new HttpRequestException("the response is compressed, which was not asked for");
            }

            bool events = string.Equals(response.Content.Headers.ContentType?.MediaType, "text/event-stream", StringComparison.OrdinalIgnoreCase);
            if (!events && response.Content.Headers.ContentLength > limit)
            {
                throw new ResponseLimitException(limit);
            }

            response.Content = new BoundedContent(response.Content, limit, events);
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

    /// <summary>The content of a response, read through a bounded stream.</summary>
    private sealed class BoundedContent : HttpContent
    {
        private readonly HttpContent _inner;
        private readonly long _limit;
        private readonly bool _events;

        public BoundedContent(HttpContent inner, long limit, bool events)
        {
            _inner = inner;
            _limit = limit;
            _events = events;
            foreach (KeyValuePair<string, System.Net.Http.Headers.HeaderStringValues> header in inner.Headers.NonValidated)
            {
                Headers.TryAddWithoutValidation(header.Key, header.Value);
            }
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            using Stream bounded = await CreateContentReadStreamAsync(cancellationToken).ConfigureAwait(false);
            await bounded.CopyToAsync(stream, cancellationToken).ConfigureAwait(false);
        }

        protected override Task<Stream> CreateContentReadStreamAsync() => CreateContentReadStreamAsync(CancellationToken.None);

        protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
            new BoundedResponseStream(await _inner.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), _limit, _events);

        protected override bool TryComputeLength(out long length)
        {
            length = _inner.Headers.ContentLength ?? 0;
            return _inner.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
