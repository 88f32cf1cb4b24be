using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Tests.Stages.ResultLimit;

/// <summary>What an HTTP server can make its reader take: compressed, long and endless bodies.</summary>
[TestFixture]
internal sealed class BoundingHttpHandlerTests
{
    private const int Limit = 10;

    private readonly List<MessageTooLargeException> _told = [];

    [TearDown]
    public void Forget() => _told.Clear();

    [TestCase("gzip")]
    [TestCase("br")]
    [TestCase("identity", "gzip")]
    [TestCase("unknown")]
    public void Send_CompressedResponse_IsRefusedAndDisposed(params string[] encodings)
    {
        var content = new WatchedContent("short");
        foreach (string encoding in encodings)
        {
            content.Headers.ContentEncoding.Add(encoding);
        }

        Assert.Multiple(() =>
        {
            Assert.That(async () => await SendAsync(content), Throws.InstanceOf<HttpRequestException>().With.Message.Contains("compressed"));
            Assert.That(content.IsDisposed, Is.True);
        });
    }

    [TestCase("identity")]
    [TestCase("IDENTITY")]
    public async Task Send_IdentityEncoding_IsNone(string encoding)
    {
        var content = new WatchedContent("short");
        content.Headers.ContentEncoding.Add(encoding);
        using HttpResponseMessage response = await SendAsync(content);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("short"));
    }

    [Test]
    public async Task Send_BodyOfTheLimit_IsReadInEveryWayWithItsHeaders()
    {
        foreach (Func<HttpContent, Task<string>> read in (Func<HttpContent, Task<string>>[])
            [static content => content.ReadAsStringAsync(), CopyAsync, static async content => await new StreamReader(await content.ReadAsStreamAsync()).ReadToEndAsync()])
        {
            var content = new WatchedContent("0123456789", "application/json");
            content.Headers.TryAddWithoutValidation("Content-Language", "de");
            HttpResponseMessage response = await SendAsync(content);
            Assert.That(await read(response.Content), Is.EqualTo("0123456789"));
            Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("application/json"));
            Assert.That(response.Content.Headers.ContentLanguage, Is.EqualTo(new[] { "de" }));
            Assert.That(response.Content.Headers.ContentLength, Is.EqualTo(10));
            response.Dispose();
            Assert.That(content.IsDisposed, Is.True, "so that the connection is free again");
            Assert.That(_told, Is.Empty);
        }
    }

    [Test]
    public async Task Send_LengthOverTheLimit_IsRefusedBeforeTheBodyIsRead()
    {
        var content = new WatchedContent("0123456789a");
        MessageTooLargeException? fault = await Assert.ThrowsAsync<MessageTooLargeException>(async () => await SendAsync(content));
        Assert.Multiple(() =>
        {
            Assert.That(fault!.Message, Does.Contain("a response body"));
            Assert.That(fault.MaxBytes, Is.EqualTo(Limit));
            Assert.That(_told, Is.EqualTo(new[] { fault }));
            Assert.That((content.IsRead, content.IsDisposed), Is.EqualTo((false, true)));
        });
    }

    [TestCase("application/json")]
    [TestCase("text/event-stream-of-another-kind")]
    [TestCase(null)]
    public async Task Send_LengthNotTold_IsBoundedWhileItIsRead(string? type)
    {
        foreach (Func<HttpContent, Task<string>> read in (Func<HttpContent, Task<string>>[])[static content => content.ReadAsStringAsync(), CopyAsync])
        {
            _told.Clear();
            using HttpResponseMessage response = await SendAsync(new WatchedContent("0123456789a", type, tellsLength: false));
            Assert.That(response.Content.Headers.ContentLength, Is.Null);
            Assert.That(async () => await read(response.Content), Throws.InstanceOf<IOException>().Or.InnerException.InstanceOf<MessageTooLargeException>());
            Assert.That(_told, Has.Count.EqualTo(1));
        }
    }

    [TestCase("text/event-stream")]
    [TestCase("TEXT/event-stream")]
    public async Task Send_EventStream_BoundsEachEventAndNotTheWhole(string type)
    {
        const string fine = "data: a\n\ndata: b\n\ndata: c\n\n";
        using HttpResponseMessage response = await SendAsync(new WatchedContent(fine, type));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(fine));
        using HttpResponseMessage longer = await SendAsync(new WatchedContent(fine + "data: 0123456789\n\n", type, tellsLength: false));
        Assert.That(async () => await longer.Content.ReadAsStringAsync(), Throws.InstanceOf<IOException>().Or.InnerException.InstanceOf<MessageTooLargeException>());
        Assert.That(_told, Has.Count.EqualTo(1));
    }

    [Test]
    public void Send_Synchronous_IsNotSupported()
    {
        using var invoker = new HttpMessageInvoker(new BoundingHttpHandler(new Answering(new StringContent("x")), Limit));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/");
        Assert.That(() => invoker.Send(request, default), Throws.InstanceOf<NotSupportedException>().With.Message.Contains("asynchronous"));
    }

    private static async Task<string> CopyAsync(HttpContent content)
    {
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy);
        return Encoding.UTF8.GetString(copy.ToArray());
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContent content)
    {
        var invoker = new HttpMessageInvoker(new BoundingHttpHandler(new Answering(content), Limit, _told.Add));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/");
        return await invoker.SendAsync(request, CancellationToken.None);
    }

    private sealed class Answering(HttpContent content) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => new(HttpStatusCode.OK) { Content = content };

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Send(request, cancellationToken));
    }

    private sealed class WatchedContent : HttpContent
    {
        private readonly byte[] _body;
        private readonly bool _tellsLength;

        public WatchedContent(string body, string? type = "text/plain", bool tellsLength = true)
        {
            _body = Encoding.UTF8.GetBytes(body);
            _tellsLength = tellsLength;
            Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        }

        public bool IsRead { get; private set; }

        public bool IsDisposed { get; private set; }

        protected override Task<Stream> CreateContentReadStreamAsync()
        {
            IsRead = true;
            return Task.FromResult<Stream>(new MemoryStream(_body));
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            IsRead = true;
            return stream.WriteAsync(_body, 0, _body.Length);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _body.Length;
            return _tellsLength;
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed |= disposing;
            base.Dispose(disposing);
        }
    }
}
