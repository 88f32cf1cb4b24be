using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>OAuth URLs have entries of their own, and nothing of the MCP connection crosses to them; proxies of the environment are not used unasked.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class AuthorizationUrlsTests
{
    [TestCase("https://auth.example.com/token", true)]
    [TestCase("https://auth.example.com:443/token", true)]
    [TestCase("https://auth.example.com/token?x=1", true)]
    [TestCase("https://auth.example.com/token/", false)]
    [TestCase("https://auth.example.com/token/more", false)]
    [TestCase("https://auth.example.com/", false)]
    [TestCase("https://auth.example.com/TOKEN", false)]
    [TestCase("https://auth.example.com/%74oken", false)]
    [TestCase("https://auth.example.com/x/../token", false)]
    [TestCase("https://auth.example.com//token", false)]
    [TestCase("https://auth.example.com:8443/token", false)]
    [TestCase("http://auth.example.com/token", false)]
    [TestCase("https://auth.example.com.evil.net/token", false)]
    [TestCase("https://auth.example.com@evil.net/token", false)]
    [TestCase("https://evil.net/token", false)]
    [TestCase("", false)]
    public void Check_Url_MustEqualAnEntry(string url, bool allowed) =>
        Assert.That(AuthorizationUrls.Create(["https://auth.example.com/token", "https://*.wild.example/token"]).Check(url).IsAllowed, Is.EqualTo(allowed));

    [Test]
    public void Check_EntryWithAStar_MatchesNothing() =>
        Assert.That(AuthorizationUrls.Create(["https://*.example.com/token"]).Check("https://auth.example.com/token").IsAllowed, Is.False);

    // A second entry brings its own origin or path, never one that only the first has.
    [TestCase("https://localhost:8443/token", "http://localhost:8443", "http://localhost:8443/token", false)]
    [TestCase("http://localhost:1/token", "http://localhost:2", "http://localhost:2/token", false)]
    [TestCase("http://localhost:1/token", "http://localhost:1", "http://localhost:1/token", true)]
    [TestCase("http://localhost:1/token", "http://localhost:2", "http://localhost:2/", true)]
    [TestCase("http://localhost:1/token", "http://localhost:2/", "http://localhost:2", true)]
    public void Check_SeveralEntries_EachIsTakenWhole(string first, string second, string url, bool allowed) =>
        Assert.That(AuthorizationUrls.Create([first, second]).Check(url).IsAllowed, Is.EqualTo(allowed));

    [TestCase("https://evil.net/token", "NotListed")]
    [TestCase("https://auth.example.com/x", "PathNotListed")]
    [TestCase("https://auth.example.com@evil.net/token", "UserInfo")]
    public void Check_Refused_SaysWhy(string url, string denial) =>
        Assert.That(AuthorizationUrls.Create(["https://auth.example.com/token"]).Check(url).Denial.ToString(), Is.EqualTo(denial));

    [Test]
    public async Task Send_PathThatIsSentInAnotherSpelling_IsJudgedAsItIsSent()
    {
        // Uri writes %74 as t: the entry lists the one path, the server would get the other.
        using var authorization = Answering("token");
        using var client = new HttpClient(AdmissionHttp.CreateHandler(
            UrlAllowlist.Create(["https://mcp.example.net"]), new AdmissionHttpOptions { Authorization = AuthorizationUrls.Create([Url(authorization, "/%74oken")]) }));
        UrlRefusedException refused = (await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetAsync(Url(authorization, "/%74oken"))))!;
        Assert.That((refused.Verdict.Denial, authorization.Connections), Is.EqualTo((UrlDenial.PathNotListed, 0)));
    }

    [Test]
    public async Task Send_UrlOnBothLists_IsTheServers()
    {
        using var server = Answering("mcp");
        using HttpClient client = Client(server, server, "/mcp");
        using var request = new HttpRequestMessage(HttpMethod.Post, Url(server, "/mcp")) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "own");
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(server.Requests[0], Does.Contain("X-Key: secret").And.Contain("Bearer own"));
    }

    [Test]
    public async Task Send_FormWithTheClientsOwnPassword_Passes()
    {
        // RFC 6749 section 2.3.1
        using var authorization = Answering("token");
        using var server = Answering("mcp");
        using HttpClient client = Client(server, authorization);
        using var request = new HttpRequestMessage(HttpMethod.Post, Url(authorization, "/token")) { Content = new FormUrlEncodedContent([new("a", "b")]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("basic", "eDp5");
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.That(authorization.Requests[0], Does.Contain("basic eDp5"));
    }

    [Test]
    public async Task Send_RegistrationOverTheLimit_IsNotSent()
    {
        using var authorization = Answering("registered");
        using var server = Answering("mcp");
        using HttpClient client = Client(server, authorization);
        string body = $$"""{"redirect_uris":["http://localhost/{{new string('a', 70_000)}}"]}""";
        await Assert.CatchAsync<HttpRequestException>(() => client.PostAsync(Url(authorization, "/token"), new StringContent(body, Encoding.UTF8, "application/json")));
        Assert.That(authorization.Connections, Is.Zero);
    }

    [Test]
    public async Task Send_ProxyWithoutAnAddress_IsAFailureOfTheConnection()
    {
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy("http://proxy.example.net:9/") { BypassProxyOnLocal = false };
        try
        {
            using var client = new HttpClient(AdmissionHttp.CreateHandler(
                UrlAllowlist.Create(["http://127.0.0.1:1"]), new AdmissionHttpOptions { UseEnvironmentProxy = true, Resolver = new UnknownName() }));
            HttpRequestException fault = (await Assert.CatchAsync<HttpRequestException>(() => client.GetStringAsync("http://127.0.0.1:1/")))!;
            Assert.That(fault.InnerException, Is.InstanceOf<System.Net.Sockets.SocketException>());
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    [Test]
    public async Task Send_Form_ReachesTheListedUrlWithoutTheServersHeaders()
    {
        using var authorization = Answering("token");
        using var server = Answering("mcp");
        using HttpClient client = Client(server, authorization);
        using HttpResponseMessage token = await client.PostAsync(Url(authorization, "/token"), new FormUrlEncodedContent([new("grant_type", "authorization_code")]));
        Assert.That(await token.Content.ReadAsStringAsync(), Is.EqualTo("token"));
        Assert.That(await client.GetStringAsync(Url(server, "/mcp")), Is.EqualTo("mcp"));
        Assert.That(authorization.Requests[0], Does.Not.Contain("X-Key").And.Contain("grant_type"));
        Assert.That(server.Requests[0], Does.Contain("X-Key: secret"));
    }

    [TestCase("json-rpc")]
    [TestCase("json-rpc batch")]
    [TestCase("json without redirect_uris")]
    [TestCase("text")]
    [TestCase("no json")]
    [TestCase("last event")]
    [TestCase("bearer")]
    [TestCase("session")]
    [TestCase("cookie")]
    [TestCase("put")]
    [TestCase("other path")]
    public async Task Send_WhatBelongsToTheConnection_NeverReachesAnAuthorizationUrl(string kind)
    {
        using var authorization = Answering("token");
        using var server = Answering("mcp");
        using HttpClient client = Client(server, authorization);
        using var request = new HttpRequestMessage(HttpMethod.Post, Url(authorization, kind == "other path" ? "/token/x" : "/token"))
        {
            Content = kind switch
            {
                "json-rpc" => new StringContent("""{"jsonrpc":"2.0","method":"tools/call","redirect_uris":[]}""", Encoding.UTF8, "application/json"),
                "json-rpc batch" => new StringContent("""[{"jsonrpc":"2.0"}]""", Encoding.UTF8, "application/json"),
                "json without redirect_uris" => new StringContent("{}", Encoding.UTF8, "application/json"),
                "no json" => new StringContent("{redirect_uris", Encoding.UTF8, "application/json"),
                "text" => new StringContent("secret"),
                _ => new FormUrlEncodedContent([new("a", "b")]),
            },
        };
        if (kind == "bearer")
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token");
        }
        else if (kind is "session" or "cookie" or "last event")
        {
            request.Headers.Add(kind switch { "session" => "Mcp-Session-Id", "cookie" => "Cookie", _ => "Last-Event-ID" }, "x");
        }
        else if (kind == "put")
        {
            request.Method = HttpMethod.Put;
        }

        await Assert.ThrowsAsync<UrlRefusedException>(() => client.SendAsync(request));
        Assert.That(authorization.Connections, Is.Zero);
    }

    [Test]
    public async Task Send_Registration_Passes()
    {
        using var authorization = Answering("registered");
        using var server = Answering("mcp");
        using HttpClient client = Client(server, authorization);
        using HttpResponseMessage response = await client.PostAsync(
            Url(authorization, "/token"), new StringContent("""{"redirect_uris":["http://localhost/cb"]}""", Encoding.UTF8, "application/json"));
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("registered"));
    }

    [Test]
    public async Task Send_AuthorizationUrlThatRedirects_IsRefusedEvenOnItsOwnOrigin()
    {
        using var server = Answering("mcp");
        using var authorization = new LoopbackServer(_ => LoopbackServer.Response("307 Temporary Redirect", "Location: /token\r\n", string.Empty));
        using HttpClient client = Client(server, authorization);
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetAsync(Url(authorization, "/token")));
        Assert.That(authorization.Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task Send_ServerRedirectsToItsAuthorizationUrl_IsRefused()
    {
        using var authorization = Answering("token");
        int port = authorization.Port;
        using var server = new LoopbackServer(_ => LoopbackServer.Response("307 Temporary Redirect", $"Location: http://127.0.0.1:{port}/token\r\n", string.Empty));
        using HttpClient client = Client(server, authorization);
        await Assert.ThrowsAsync<UrlRefusedException>(() => client.PostAsync(Url(server, "/mcp"), new FormUrlEncodedContent([new("a", "b")])));
        Assert.That(authorization.Connections, Is.Zero);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Send_EnvironmentNamesAProxy_IsUsedOnlyWhereThePolicySaysSo(bool use)
    {
        using var proxy = Answering("by proxy");
        using var server = Answering("direct");
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy($"http://127.0.0.1:{proxy.Port}/") { BypassProxyOnLocal = false };
        try
        {
            using var client = new HttpClient(AdmissionHttp.CreateHandler(
                UrlAllowlist.Create([$"http://127.0.0.1:{server.Port}"]), new AdmissionHttpOptions { UseEnvironmentProxy = use }));
            Assert.That(await client.GetStringAsync(Url(server, "/")), Is.EqualTo(use ? "by proxy" : "direct"));
            await Assert.ThrowsAsync<UrlRefusedException>(() => client.GetStringAsync("http://127.0.0.1:1/"));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }

        Assert.That(proxy.Connections, Is.EqualTo(use ? 1 : 0));
    }

    private static LoopbackServer Answering(string text) => new(_ => LoopbackServer.Response("200 OK", string.Empty, text));

    private static string Url(LoopbackServer server, string path) => $"http://127.0.0.1:{server.Port}{path}";

    private static HttpClient Client(LoopbackServer server, LoopbackServer authorization, string path = "/token") => new(AdmissionHttp.CreateHandler(
        UrlAllowlist.Create([Url(server, "/mcp")]),
        new AdmissionHttpOptions
        {
            Authorization = AuthorizationUrls.Create([Url(authorization, path)]),
            Headers = static _ => new([new("X-Key", "secret")]),
        }));
}
