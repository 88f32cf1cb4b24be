using System.Text.RegularExpressions;
using Mcp.Guard.Tests.Stages.ServerAdmission;
using ModelContextProtocol.Client;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>HTTP servers through the guard: connected by it, or over a transport that the host built on the guard's client.</summary>
[TestFixture]
internal sealed partial class HttpTransportTests
{
    [Test]
    public async Task Connect_ListedLoopbackServer_Works()
    {
        using LoopbackServer server = Serve();
        await using GuardFixture guard = Make(server);
        await using McpClient client = await guard.Guard.ConnectAsync("http");
        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Is.EqualTo(new[] { "echo" }));
    }

    [Test]
    public async Task Protect_TransportOverTheGuardsClient_Works()
    {
        using LoopbackServer server = Serve();
        await using GuardFixture guard = Make(server);
        IClientTransport transport = guard.Guard.Protect("http", http => new HttpClientTransport(Options(server), http));
        await using McpClient client = await McpClient.CreateAsync(transport);
        Assert.That(await client.ListToolsAsync(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Protect_TransportOverAnotherClient_FailsWithItsFirstMessage()
    {
        using LoopbackServer server = Serve();
        await using GuardFixture guard = Make(server);
        using var own = new HttpClient();
        IClientTransport transport = guard.Guard.Protect("http", _ => new HttpClientTransport(Options(server), own));

        // Which of the two the client sees first, the refusal or the end of the connection, is a race.
        Assert.That(await Assert.CatchAsync(() => McpClient.CreateAsync(transport)), Is.Not.Null);
        Assert.That(server.Requests.Count(request => request.Contains("\"method\"", StringComparison.Ordinal)), Is.LessThanOrEqualTo(1), "the handshake's first message, and nothing after it");
        Assert.That(server.Requests.Count(request => request.Contains("tools/", StringComparison.Ordinal)), Is.Zero);
    }

    [Test]
    public async Task Protect_TransportToAnotherUrl_NeverConnects()
    {
        using LoopbackServer server = Serve();
        using LoopbackServer other = Serve();
        await using GuardFixture guard = Make(server);
        IClientTransport transport = guard.Guard.Protect("http", http => new HttpClientTransport(Options(other), http));
        Assert.That(await Assert.CatchAsync(() => McpClient.CreateAsync(transport)), Is.Not.Null);
        Assert.That(other.Connections, Is.Zero);
    }

    [Test]
    public async Task Protect_ForeignTransportOfAUrlServer_IsRefusedUnlessUnchecked()
    {
        using LoopbackServer server = Serve();
        await using GuardFixture guard = Make(server);
        IClientTransport transport = guard.Guard.Protect("http", new HttpClientTransport(Options(server)));
        McpGuardException refused = (await Assert.CatchAsync<McpGuardException>(() => McpClient.CreateAsync(transport)))!;
        Assert.That(refused.Code, Is.EqualTo(GuardDenialCodes.ServerNotAllowed));
        Assert.That(server.Connections, Is.Zero);
    }

    [TestCase("http://127.0.0.1:{other}/messages")]
    [TestCase("//127.0.0.1:{other}/messages")]
    [TestCase("http://127.0.0.1:{other}/token")]
    public async Task Connect_LegacyServerAnnouncesAnotherOrigin_NothingIsSentThere(string endpoint)
    {
        using LoopbackServer other = Serve();
        using var server = new LoopbackServer(_ =>
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\nevent: endpoint\ndata: " + endpoint.Replace("{other}", $"{other.Port}", StringComparison.Ordinal) + "\n\n");
        await using var guard = new GuardFixture(_ => { }, policy: document => document.Server("http", settings => settings
            .Url($"http://127.0.0.1:{server.Port}/sse").With("transport", "\"sse\"").With("authorizationUrls", $"[\"http://127.0.0.1:{other.Port}/token\"]")));
        Assert.That(await Assert.CatchAsync(() => guard.Guard.ConnectAsync("http")), Is.Not.Null);
        Assert.That(other.Connections, Is.Zero);
    }

    [Test]
    public async Task AdmitsAuthorizationUrl_OnlyAnEntryOfThePolicy()
    {
        await using var guard = new GuardFixture(_ => { }, policy: document => document.Server("http", settings => settings
            .Url("https://mcp.example.com/mcp").With("authorizationUrls", "[\"https://auth.example.com/authorize\"]")));
        Assert.Multiple(() =>
        {
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("http", new Uri("https://auth.example.com/authorize?client_id=x")), Is.True);
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("http", new Uri("https://auth.example.com/authorize2")), Is.False);
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("http", new Uri("https://evil.example.net/authorize")), Is.False);
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("http", new Uri("javascript:alert(1)")), Is.False);
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("http", new Uri("/authorize", UriKind.Relative)), Is.False);
            Assert.That(guard.Guard.AdmitsAuthorizationUrl("none", new Uri("https://auth.example.com/authorize")), Is.False);
            Assert.That(() => guard.Guard.Protect("test", _ => throw new InvalidOperationException()), Throws.ArgumentException);
        });
    }

    private static HttpClientTransportOptions Options(LoopbackServer server) =>
        new() { Endpoint = new Uri($"http://127.0.0.1:{server.Port}/mcp"), TransportMode = HttpTransportMode.StreamableHttp };

    private static GuardFixture Make(LoopbackServer server) => new(_ => { }, policy: document => document.Server("http", settings => settings
        .Url($"http://127.0.0.1:{server.Port}/mcp").Allow("all", "*")));

    /// <summary>The least MCP server: answers initialize and tools/list with the id that was sent.</summary>
    private static LoopbackServer Serve() => new(request =>
    {
        string id = Id().Match(request) is { Success: true } match ? match.Groups[1].Value : "null";
        string? result = request.Contains("\"initialize\"", StringComparison.Ordinal)
            ? """{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"""
            : request.Contains("\"tools/list\"", StringComparison.Ordinal) ? """{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}""" : null;
        return result is not null ? LoopbackServer.Response("200 OK", "Content-Type: application/json\r\n", $$$"""{"jsonrpc":"2.0","id":{{{id}}},"result":{{{result}}}}""")
            : request.StartsWith("POST", StringComparison.Ordinal) && request.Contains("notifications/", StringComparison.Ordinal) ? LoopbackServer.Response("202 Accepted", string.Empty, string.Empty)
            : request.StartsWith("POST", StringComparison.Ordinal) ? LoopbackServer.Response("200 OK", "Content-Type: application/json\r\n", $$$"""{"jsonrpc":"2.0","id":{{{id}}},"error":{"code":-32601,"message":"no"}}""")
            : LoopbackServer.Response("405 Method Not Allowed", string.Empty, string.Empty);
    });

    [GeneratedRegex("\"id\":(\"[^\"]*\"|[0-9]+)")]
    private static partial Regex Id();
}
