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
                "text" => new StringContent("secret"),
                _ => new FormUrlEncodedContent([new("a", "b")]),
            },
        };
        if (kind == "bearer")
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "token");
        }
        else if (kind is "session" or "cookie")
        {
            request.Headers.Add(kind == "session" ? "Mcp-Session-Id" : "Cookie", "x");
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

    private static HttpClient Client(LoopbackServer server, LoopbackServer authorization) => new(AdmissionHttp.CreateHandler(
        UrlAllowlist.Create([Url(server, "/mcp")]),
        new AdmissionHttpOptions
        {
            Authorization = AuthorizationUrls.Create([Url(authorization, "/token")]),
            Headers = static _ => new([new("X-Key", "secret")]),
        }));
}
