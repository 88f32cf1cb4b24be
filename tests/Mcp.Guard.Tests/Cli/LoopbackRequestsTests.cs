using Mcp.Guard.Cli.Run;
using Microsoft.AspNetCore.Http;

namespace Mcp.Guard.Tests.Cli;

/// <summary>Which requests the HTTP gateway reads: only those that name its own address, from no other page (DNS rebinding).</summary>
[TestFixture]
internal sealed class LoopbackRequestsTests
{
    [TestCase(8080, "127.0.0.1:8080", null, true)]
    [TestCase(8080, "localhost:8080", null, true)]
    [TestCase(8080, "LOCALHOST:8080", "http://localhost:8080", true)]
    [TestCase(8080, "127.0.0.1:8080", "http://127.0.0.1:8080", true)]
    [TestCase(8080, "127.0.0.1", null, false)]
    [TestCase(8080, "localhost", null, false)]
    [TestCase(8080, "127.0.0.1:80", null, false)]
    [TestCase(8080, "evil.example:8080", null, false)]
    [TestCase(8080, "127.0.0.1:8080", "http://evil.example:8080", false)]
    [TestCase(8080, "127.0.0.1:8080", "https://127.0.0.1:8080", false)]
    [TestCase(8080, "127.0.0.1:8080", "null", false)]
    [TestCase(8080, "127.0.0.1:8080", "", false)]
    [TestCase(8080, "", null, false)]
    [TestCase(8080, null, null, false)]
    [TestCase(80, "127.0.0.1", null, true, Description = "clients leave the port of http out")]
    [TestCase(80, "localhost", "http://localhost", true)]
    [TestCase(80, "localhost:80", null, true)]
    [TestCase(80, "evil.example", null, false)]
    [TestCase(80, "127.0.0.1.", null, false)]
    [TestCase(80, "127.0.0.1", "http://evil.example", false)]
    public void Admits_HostAndOrigin_OnlyItsOwn(int port, string? host, string? origin, bool admitted)
    {
        HttpRequest request = new DefaultHttpContext().Request;
        if (host is not null)
        {
            request.Headers.Host = host;
        }

        if (origin is not null)
        {
            request.Headers.Origin = origin;
        }

        Assert.That(new LoopbackRequests(port).Admits(request), Is.EqualTo(admitted));
    }

    [Test]
    public void Admits_TwoHostsOrOrigins_NoRequest()
    {
        HttpRequest hosts = new DefaultHttpContext().Request;
        hosts.Headers.Host = new(["localhost:8080", "localhost:8080"]);
        HttpRequest origins = new DefaultHttpContext().Request;
        origins.Headers.Host = "localhost:8080";
        origins.Headers.Origin = new(["http://localhost:8080", "http://localhost:8080"]);
        Assert.That((new LoopbackRequests(8080).Admits(hosts), new LoopbackRequests(8080).Admits(origins)), Is.EqualTo((false, false)));
    }
}
