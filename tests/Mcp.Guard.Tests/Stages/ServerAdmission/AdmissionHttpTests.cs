using System.Net.Http.Headers;
using System.Text;
using Mcp.Guard.Stages.ResultLimit;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

[TestFixture]
internal sealed class AdmissionHttpTests
{
    private static readonly AdmissionHttpOptions Loopback = new() { Resolver = new ScriptedResolver(["127.0.0.1"]) };

    [Test]
    public async Task Send_ListedLoopback_Answers()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "hello"));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        Assert.That(await client.GetStringAsync($"http://localhost:{server.Port}/mcp"), Is.EqualTo("hello"));
    }

    [Test]
    public async Task Send_HostThatIsNotListed_NeverConnects()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "hello"));
        using HttpClient client = Client(Loopback, "http://localhost:1");
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}/"));
        Assert.That(server.Connections, Is.Zero);
    }

    // The URL as it is written and the one that Uri makes of it: each is judged by itself.
    [TestCase("/mcp", "/x/%2e%2e/mcp", "PathEncoding")]
    [TestCase("/%6dcp", "/%6dcp", "PathNotListed")]
    public async Task Send_PathThatIsSentInAnotherSpelling_NeverConnects(string listed, string sent, string denial)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "hello"));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}{listed}");
        UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}{sent}")))!;
        Assert.That((refused.Verdict.Denial.ToString(), server.Connections), Is.EqualTo((denial, 0)));
    }

    // Letters of two directions in one label, and a capital that Uri leaves as it is where there are no tables of the system.
    [TestCase("\u05D0a")]
    [TestCase("-\u05D0")]
    [TestCase("\u00C0")]
    public async Task Send_HostThatUriWouldSendOtherwise_IsRefused(string label)
    {
        using HttpClient client = Client(Loopback, "https://*.example.net");
        UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"https://{label}.example.net/")))!;
        Assert.That(refused.Verdict.Denial, Is.EqualTo(UrlDenial.HostNotCanonical));
    }

    [TestCase("[::1]")]
    [TestCase("[::ffff:127.0.0.1]")]
    public async Task Send_AddressOfVersion6_IsAdmittedInItsBrackets(string host)
    {
        int port;
        using (var closed = new LoopbackServer(_ => string.Empty))
        {
            port = closed.Port;
        }

        using HttpClient client = Client(Loopback, $"http://{host}:{port}/mcp");
        HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync($"http://{host}:{port}/mcp")))!;
        Assert.That(UrlRefusedException.In(fault), Is.Null, "nobody listens there, but it is admitted");
    }

    [Test]
    public async Task Send_HandlerThatTheHostConfigures_KeepsTheRules()
    {
        using var server = new LoopbackServer(head => head.StartsWith("GET /a ", StringComparison.Ordinal)
            ? LoopbackServer.Response("200 OK", "Set-Cookie: a=tracked\r\n", new string('x', 1000))
            : LoopbackServer.Response("302 Found", "Location: http://127.0.0.2/\r\n", string.Empty));
        bool configured = false;
        var options = new AdmissionHttpOptions
        {
            Resolver = Loopback.Resolver,
            Configure = handler =>
            {
                configured = true;
                handler.UseCookies = true;
                handler.AllowAutoRedirect = true;
            },
        };
        using HttpClient client = Client(options, $"http://localhost:{server.Port}");
        Assert.That(await client.GetStringAsync($"http://localhost:{server.Port}/a"), Has.Length.EqualTo(1000));
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}/b"));
        Assert.That(configured, Is.True);
        Assert.That(server.Requests[1], Does.Not.Contain("tracked"));
    }

    [Test]
    public async Task Send_RedirectToHostThatIsNotListed_NeverConnectsThere()
    {
        using var secret = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "secret"));
        using var server = new LoopbackServer(
            _ => LoopbackServer.Response("302 Found", $"Location: http://127.0.0.1:{secret.Port}/\r\n", string.Empty));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}/")))!;
        Assert.That(refused.Verdict.Denial, Is.EqualTo(UrlDenial.PrivateAddress));
        Assert.That(secret.Connections, Is.Zero);
    }

    [TestCase("//localhost.evil.example/")]
    [TestCase("\\\\evil.example\\")]
    [TestCase("https://localhost/")]
    [TestCase("http://localhost@evil.example/")]
    [TestCase("file:///etc/passwd")]
    [TestCase("http://localhost:1/#x")]
    [TestCase("/x#fragment")]
    public async Task Send_RedirectThatCannotBeJudgedSafe_IsRefused(string location)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("302 Found", $"Location: {location}\r\n", string.Empty));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}/"));
        Assert.That(server.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task Send_RedirectOnTheSameOrigin_KeepsHeadersAndBody()
    {
        using var server = new LoopbackServer(head => head.StartsWith("POST /a ", StringComparison.Ordinal)
            ? LoopbackServer.Response("307 Temporary Redirect", "Location: b\r\n", string.Empty)
            : LoopbackServer.Response("200 OK", string.Empty, "done"));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost:{server.Port}/a") { Content = new ByteArrayContent("{}"u8.ToArray()) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token");
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("done"));
        Assert.That(server.Requests[1], Does.StartWith("POST /b "));
        Assert.That(server.Requests[1], Does.Contain("Authorization: Bearer token"));
    }

    // RFC 9110 section 15.4: 307 and 308 repeat the request, 303 asks with GET, 301 and 302 do so for a POST.
    [TestCase("301 Moved Permanently", "POST", "GET", false)]
    [TestCase("302 Found", "POST", "GET", false)]
    [TestCase("303 See Other", "POST", "GET", false)]
    [TestCase("307 Temporary Redirect", "POST", "POST", true)]
    [TestCase("308 Permanent Redirect", "POST", "POST", true)]
    [TestCase("301 Moved Permanently", "PUT", "PUT", true)]
    [TestCase("302 Found", "PUT", "PUT", true)]
    [TestCase("303 See Other", "PUT", "GET", false)]
    [TestCase("303 See Other", "HEAD", "HEAD", false)]
    [TestCase("302 Found", "GET", "GET", false)]
    public async Task Send_RedirectOnTheSameOrigin_RepeatsWhatItsStatusSays(string status, string method, string expected, bool body)
    {
        using var server = new LoopbackServer(head => head.Contains(" /a ", StringComparison.Ordinal)
            ? LoopbackServer.Response(status, "Location: /b?q\r\n", string.Empty)
            : LoopbackServer.Response("200 OK", string.Empty, string.Empty));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://localhost:{server.Port}/a");
        if (method is "POST" or "PUT")
        {
            request.Content = new ByteArrayContent("12345"u8.ToArray());
        }

        request.Headers.Add("X-Own", "1");
        request.Headers.Host = "other.example";
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(server.Requests, Has.Count.EqualTo(2));
        Assert.That(server.Requests[1], Does.StartWith(expected + " /b?q HTTP/1.1"));
        Assert.That(server.Requests[1], Does.Contain("X-Own: 1").And.Not.Contain("other.example"));
        Assert.That(server.Requests[1].Contains("Content-Length: 5", StringComparison.Ordinal), Is.EqualTo(body));
    }

    [TestCase("304 Not Modified", "Location: /b\r\n")]
    [TestCase("300 Multiple Choices", "Location: /b\r\n")]
    [TestCase("302 Found", "")]
    public async Task Send_AnswerThatLeadsNowhere_IsDelivered(string status, string headers)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response(status, headers, string.Empty));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        using HttpResponseMessage response = await client.GetAsync($"http://localhost:{server.Port}/");
        Assert.That((int)response.StatusCode, Is.EqualTo(int.Parse(status.AsSpan(0, 3), System.Globalization.CultureInfo.InvariantCulture)));
        Assert.That(server.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task Send_HeadersOfThePolicy_ReplaceThoseOfTheRequest()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "x"));
        var options = new AdmissionHttpOptions { Resolver = Loopback.Resolver, Headers = static _ => new([new("X-Key", "policy")]) };
        AdmissionHandler handler = AdmissionHttp.CreateHandler(UrlAllowlist.Create([$"http://localhost:{server.Port}"]), options);
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{server.Port}/");
        request.Headers.Add("X-Key", "request");
        Assert.That(handler.Requests, Is.Zero);
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(server.Requests[0], Does.Contain("X-Key: policy").And.Not.Contain("request\r\n"));
        Assert.That(handler.Requests, Is.EqualTo(1));
        Assert.That(() => client.Send(new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{server.Port}/")), Throws.InstanceOf<NotSupportedException>().With.Message.EqualTo("guarded HTTP is asynchronous"));
    }

    [Test]
    public async Task Connect_FirstAddressDoesNotAnswer_TheNextIsTried()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "hello"));
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = new ScriptedResolver(["127.0.0.77", "127.0.0.1"]) }, $"http://localhost:{server.Port}");
        Assert.That(await client.GetStringAsync($"http://localhost:{server.Port}/"), Is.EqualTo("hello"));
    }

    [Test]
    public async Task Connect_NobodyAnswers_IsAFailureOfTheConnection()
    {
        int port;
        using (var closed = new LoopbackServer(_ => string.Empty))
        {
            port = closed.Port;
        }

        using HttpClient client = Client(Loopback, $"http://localhost:{port}");
        HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync($"http://localhost:{port}/")))!;
        Assert.That(UrlRefusedException.In(fault), Is.Null);
        Assert.That(fault.ToString(), Does.Contain("SocketException"));
    }

    [Test]
    public async Task Connect_NameWithoutAnAddress_IsRefused()
    {
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = new UnknownName() }, "http://localhost:9");
        HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync("http://localhost:9/")))!;
        Assert.That(UrlRefusedException.In(fault)!.Verdict.Denial, Is.EqualTo(UrlDenial.NoAnswer));
    }

    [TestCase("http://a.example/x", "http://A.example:80/y", true)]
    [TestCase("http://a.example/x", "https://a.example:80/x", false)]
    [TestCase("http://a.example/x", "http://b.example/x", false)]
    [TestCase("http://a.example/x", "http://a.example:81/x", false)]
    [TestCase("http://\u05D0a.example/x", "http://\u05D0a.example/x", false)]
    public void IsSameOrigin_Urls_CompareSchemeHostAndPort(string left, string right, bool expected) => Assert.That(AdmissionHandler.IsSameOrigin(new Uri(left), new Uri(right)), Is.EqualTo(expected));

    [TestCase(false)]
    [TestCase(true)]
    public async Task Send_RedirectToOtherListedOrigin_CarriesNoCredentials(bool follow)
    {
        using var other = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "other"));
        using var server = new LoopbackServer(
            _ => LoopbackServer.Response("302 Found", $"Location: http://localhost:{other.Port}/\r\n", string.Empty));
        using HttpClient client = Client(
            new AdmissionHttpOptions { Resolver = Loopback.Resolver, FollowToOtherOrigins = follow },
            $"http://localhost:{server.Port}", $"http://localhost:{other.Port}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{server.Port}/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token");
        request.Headers.Add("Cookie", "a=b");
        request.Headers.Add("X-Api-Key", "key");
        request.Headers.Add("Mcp-Session-Id", "session");
        request.Headers.Add("MCP-Protocol-Version", "2025-11-25");
        request.Headers.Add("User-Agent", "guarded");
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Accept-Charset", "utf-8");
        request.Headers.Add("Accept-Language", "de");
        request.Version = System.Net.HttpVersion.Version10;
        if (!follow)
        {
            UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.SendAsync(request)))!;
            Assert.That(refused.Verdict.Denial, Is.EqualTo(UrlDenial.CrossOriginRedirect));
            Assert.That(other.Connections, Is.Zero);
            return;
        }

        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("other"));
        Assert.That(other.Requests[0], Does.Contain("MCP-Protocol-Version: 2025-11-25").And.Contain("User-Agent: guarded"));
        Assert.That(other.Requests[0], Does.Contain("Accept: text/event-stream").And.Contain("Accept-Charset: utf-8").And.Contain("Accept-Language: de"));
        Assert.That(other.Requests[0], Does.StartWith("GET / HTTP/1.0"));
        Assert.That(other.Requests[0], Does.Not.Contain("token").And.Not.Contain("a=b").And.Not.Contain("key").And.Not.Contain("session"));
    }

    [Test]
    public async Task Send_PostRedirectedToOtherOrigin_IsRefusedWithItsBody()
    {
        using var other = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "other"));
        using var server = new LoopbackServer(
            _ => LoopbackServer.Response("307 Temporary Redirect", $"Location: http://localhost:{other.Port}/\r\n", string.Empty));
        using HttpClient client = Client(
            new AdmissionHttpOptions { Resolver = Loopback.Resolver, FollowToOtherOrigins = true },
            $"http://localhost:{server.Port}", $"http://localhost:{other.Port}");
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.PostAsync($"http://localhost:{server.Port}/", new StringContent("secret")));
        Assert.That(other.Connections, Is.Zero);
    }

    [Test]
    public async Task Send_EndlessRedirects_EndAfterTen()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("302 Found", "Location: /again\r\n", string.Empty));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync($"http://localhost:{server.Port}/")))!;
        Assert.That(refused.Verdict.Denial, Is.EqualTo(UrlDenial.TooManyRedirects));
        Assert.That(server.Connections, Is.EqualTo(11));
    }

    [Test]
    public async Task Connect_AnswerChangesToLoopbackBetweenCheckAndConnect_NeverConnects()
    {
        // The first answer, asked before the connection, is public; the one for the connection is this machine.
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "secret"));
        var resolver = new ScriptedResolver(["93.184.215.14"], ["127.0.0.1"]);
        string url = $"https://rebind.example.net:{server.Port}/";
        UrlAllowlist allowlist = UrlAllowlist.Create([url]);
        System.Net.IPAddress[] before = await resolver.ResolveAsync("rebind.example.net", default);
        Assert.That(allowlist.CheckAnswers(url, before).IsAllowed, Is.True);
        using var client = new HttpClient(AdmissionHttp.CreateHandler(allowlist, new AdmissionHttpOptions { Resolver = resolver }));
        HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync(url)))!;
        Assert.That(fault.ToString(), Does.Contain("url-not-allowed"));
        Assert.That(resolver.Asked, Is.EqualTo(2));
        Assert.That(server.Connections, Is.Zero);
    }

    [Test]
    public async Task Connect_LocalhostThatLeavesTheMachine_NeverConnects()
    {
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = new ScriptedResolver(["127.0.0.1", "93.184.215.14"]) }, "http://localhost:9");
        HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync("http://localhost:9/")))!;
        Assert.That(fault.ToString(), Does.Contain("url-not-allowed"));
    }

    [Test]
    public async Task Connect_OneConnection_AsksDnsOnce()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, "hello"));
        var resolver = new ScriptedResolver(["127.0.0.1"], ["10.0.0.1"]);
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = resolver }, $"http://localhost:{server.Port}");
        await client.GetStringAsync($"http://localhost:{server.Port}/");
        Assert.That(resolver.Asked, Is.EqualTo(1));
        await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync($"http://localhost:{server.Port}/"), "the next connection is judged anew");
    }

    [Test]
    public async Task Receive_BodyOverTheLimit_Fails()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", string.Empty, new string('x', 2000)));
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = Loopback.Resolver, MaxResponseBytes = 1000 }, $"http://localhost:{server.Port}");
        Assert.That((await Assert.CatchAsync(() => client.GetStringAsync($"http://localhost:{server.Port}/")))!.ToString(), Does.Contain("more than 1000 bytes"));
    }

    [Test]
    public async Task Receive_EndlessBodyWithoutLength_Fails()
    {
        using var server = new LoopbackServer(_ => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + new string('x', 5000));
        using HttpClient client = Client(new AdmissionHttpOptions { Resolver = Loopback.Resolver, MaxResponseBytes = 1000 }, $"http://localhost:{server.Port}");
        Assert.That((await Assert.CatchAsync(() => client.GetStringAsync($"http://localhost:{server.Port}/")))!.ToString(), Does.Contain("more than 1000 bytes"));
    }

    [Test]
    public async Task Receive_BodyThatSaysItIsNotEncoded_Passes()
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", "Content-Encoding: identity\r\n", "x"));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        Assert.That(await client.GetStringAsync($"http://localhost:{server.Port}/"), Is.EqualTo("x"));
    }

    [TestCase("gzip")]
    [TestCase("identity, br")]
    [TestCase("identity\r\nContent-Encoding: deflate")]
    public async Task Receive_CompressedBody_Fails(string encoding)
    {
        using var server = new LoopbackServer(_ => LoopbackServer.Response("200 OK", $"Content-Encoding: {encoding}\r\n", "x"));
        using HttpClient client = Client(Loopback, $"http://localhost:{server.Port}");
        await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync($"http://localhost:{server.Port}/"));
    }

    [TestCase("data: aaaa\n\n", 40, true)]
    [TestCase("data: aaaa\r\n\r\n", 40, true)]
    [TestCase("data: aaaa\r\r", 40, true)]
    [TestCase("data: aaaa\n", 40, false)]
    [TestCase("data: aaaa\r\n", 40, false)]
    [TestCase("aaaaaaaaaaaa", 40, false)]
    public void Read_EventStream_BoundsEachEventAndNotTheSum(string part, int limit, bool passes)
    {
        string text = string.Concat(Enumerable.Repeat(part, 50));
        foreach (int step in new[] { 1, 3, 4096 })
        {
            using var stream = new BoundedEventStream(new MemoryStream(Encoding.UTF8.GetBytes(text)), limit);
            byte[] buffer = new byte[step];
            int total = 0;
            void ReadAll()
            {
                int read;
                while ((read = stream.Read(buffer, 0, buffer.Length)) > 0)
                {
                    total += read;
                }
            }

            if (passes)
            {
                ReadAll();
                Assert.That(total, Is.EqualTo(text.Length));
            }
            else
            {
                Assert.Throws<MessageTooLargeException>(ReadAll);
            }
        }
    }

    private static HttpClient Client(AdmissionHttpOptions options, params string[] allowlist)
    {
        UrlAllowlist urls = UrlAllowlist.Create(allowlist);
        Assert.That(urls.Problems, Is.Empty);
        return new HttpClient(AdmissionHttp.CreateHandler(urls, options));
    }
}
