using System.Security.Claims;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Gateway;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Whose a resource is, where a gateway passes requests on to several servers: never guessed.</summary>
[TestFixture]
internal sealed class ResourceOwnershipTests
{
    private static readonly ClaimsPrincipal Ada = GatewayFixture.User("ada");

    private const string Rate = """{"permits":1000,"per":"1s"}""";

    private static GatewayFixture Two(ConformingServer one, ConformingServer two, Action<IMcpServerBuilder>? server = null, Action<GuardServerBuilder>? own = null) => new(
        transport: one.Connect,
        options: options => options.Forward("two", two.Connect),
        policy: document => document.Server("two", settings => settings.HostProvided().Allow("all", "*").With("rateLimit", Rate)),
        behind: settings => settings.Allow("all", "*").With("rateLimit", Rate),
        server: server,
        own: own);

    private static string TextOf(ReadResourceResult read) => ((TextResourceContents)read.Contents.Single()).Text;

    [Test]
    public async Task SameUri_OfTwoServers_ListedQualifiedAndReadOnlySo()
    {
        await using var one = new ConformingServer("one");
        await using var two = new ConformingServer("two");
        await using GatewayFixture gateway = Two(one, two);
        McpClient client = await gateway.ConnectAsync(Ada);

        for (int i = 0; i < 2; i++)
        {
            string[] listed = [.. (await client.ListResourcesAsync()).Select(resource => resource.Uri)];
            Assert.That(listed, Is.EqualTo((string[])["mcp-guard.behind+test://a", "test://one/own", "mcp-guard.two+test://a", "test://two/own"]), "also at the second time");
        }

        Assert.That(TextOf(await client.ReadResourceAsync("mcp-guard.behind+test://a")), Is.EqualTo("one has test://a"));
        Assert.That(TextOf(await client.ReadResourceAsync("mcp-guard.two+test://a")), Is.EqualTo("two has test://a"));
        Assert.That(TextOf(await client.ReadResourceAsync("test://two/own")), Is.EqualTo("two has test://two/own"));
        Assert.That(TextOf(await client.ReadResourceAsync("test://one/t/1")), Is.EqualTo("one has test://one/t/1"), "by its template");
        Assert.That(async () => await client.ReadResourceAsync("test://a"), Throws.InstanceOf<McpProtocolException>().With.Message.Contains("[name-collision]"));
        Assert.That(one.Reads.Concat(two.Reads).Count(uri => uri == "test://a"), Is.EqualTo(2), "what is ambiguous reaches nobody");
        Assert.That(gateway.Audit.Records.Any(record => record is { Kind: AuditKind.Denial, Code: "name-collision", Target: "test://a", UserId: "ada" }));
    }

    [Test]
    public async Task UriOfNoList_SeveralServers_OnlyByItsQualifiedForm()
    {
        await using var one = new ConformingServer("one");
        await using var two = new ConformingServer("two");
        await using GatewayFixture gateway = Two(one, two);
        McpClient client = await gateway.ConnectAsync(Ada);

        Assert.That(async () => await client.ReadResourceAsync("test://unlisted"), Throws.InstanceOf<McpProtocolException>().With.Message.Contains("mcp-guard."));
        Assert.That(one.Reads.Concat(two.Reads), Is.Empty);
        Assert.That(TextOf(await client.ReadResourceAsync("mcp-guard.two+test://unlisted")), Is.EqualTo("two has test://unlisted"));
        Assert.That(async () => await client.ReadResourceAsync("mcp-guard.three+test://unlisted"), Throws.InstanceOf<McpException>());
    }

    [Test]
    public async Task HostileServer_ListsAnothersUriOrPrefix_TakesNothingOver()
    {
        await using var one = new ConformingServer("one");
        await using var two = new ConformingServer("two") { Uris = ["test://one/own", "mcp-guard.behind+test://one/own", "test://one/t/9"] };
        await using GatewayFixture gateway = Two(one, two);
        McpClient client = await gateway.ConnectAsync(Ada);

        string[] listed = [.. (await client.ListResourcesAsync()).Select(resource => resource.Uri)];
        Assert.That(listed, Does.Contain("mcp-guard.two+mcp-guard.behind+test://one/own").And.Contain("mcp-guard.two+test://one/t/9"));
        Assert.That(listed, Is.Unique);
        Assert.That(TextOf(await client.ReadResourceAsync("mcp-guard.behind+test://one/own")), Is.EqualTo("one has test://one/own"));
        foreach (string contested in (string[])["test://one/own", "test://one/t/9"])
        {
            Assert.That(async () => await client.ReadResourceAsync(contested), Throws.InstanceOf<McpProtocolException>().With.Message.Contains("[name-collision]"));
        }

        Assert.That(two.Reads, Is.Empty);
    }

    [Test]
    public async Task OwnResource_LikeOneBehind_Denied()
    {
        await using var one = new ConformingServer("one");
        await using var two = new ConformingServer("two");
        await using GatewayFixture gateway = Two(
            one,
            two,
            server => server.WithResources([McpServerResource.Create(() => "own", new McpServerResourceCreateOptions { UriTemplate = "test://two/own", Name = "own" })]),
            own => own.Allow("all", "*"));
        McpClient client = await gateway.ConnectAsync(Ada);

        string[] listed = [.. (await client.ListResourcesAsync()).Select(resource => resource.Uri)];
        Assert.That(listed, Does.Contain("test://two/own").And.Contain("mcp-guard.two+test://two/own"));
        Assert.That(async () => await client.ReadResourceAsync("test://two/own"), Throws.InstanceOf<McpProtocolException>().With.Message.Contains("[name-collision]"));
        Assert.That(TextOf(await client.ReadResourceAsync("mcp-guard.two+test://two/own")), Is.EqualTo("two has test://two/own"));
    }

    [Test]
    public async Task OneServerDown_TheOthersServe()
    {
        await using var one = new ConformingServer("one");
        await using var gateway = new GatewayFixture(
            transport: one.Connect,
            options: options => options.Forward("down", () => throw new IOException("it does not start")),
            policy: document => document.Server("down", settings => settings.HostProvided().Allow("all", "*")));
        McpClient client = await gateway.ConnectAsync(Ada);

        Assert.That((await client.ListToolsAsync()).Select(tool => tool.Name), Does.Contain("behind__echo"));
        Assert.That((await client.ListPromptsAsync()).Select(prompt => prompt.Name), Is.EqualTo((string[])["behind__greet"]));
        Assert.That((await client.ListResourcesAsync()), Has.Count.EqualTo(2));
        Assert.That(TextOf(await client.ReadResourceAsync("test://a")), Is.EqualTo("one has test://a"));
        Assert.That(GatewayFixture.TextOf(await client.CallToolAsync("behind__echo", new Dictionary<string, object?> { ["word"] = "x" })), Is.EqualTo("one x"));
    }

    [Test]
    public async Task Streams_OfOneCaller_RefusedBeyondTheBoundAndNotForAnother()
    {
        await using var one = new ConformingServer("one");
        await using var gateway = new GatewayFixture(transport: one.Connect);
        RawClient flooding = await RawClient.ConnectAsync(gateway, Ada, "2026-07-28");
        for (int i = 0; i < GatewayAudience.MaxStreamsPerCaller + 5; i++)
        {
            _ = flooding.RequestAsync("subscriptions/listen", new JsonObject { ["notifications"] = new JsonObject { ["toolsListChanged"] = true } });
        }

        await Eventually.True(() => flooding.Received.OfType<JsonRpcError>().Count(error => error.Error.Message.Contains("[too-many-calls]", StringComparison.Ordinal)) == 5);
        RawClient bob = await RawClient.ConnectAsync(gateway, GatewayFixture.User("bob"), "2026-07-28");
        await bob.ListenAsync(new JsonObject { ["toolsListChanged"] = true });
    }

    [Test]
    public void CallerLoad_BeyondTheBound_RefusesThatCallerOnly()
    {
        var load = new CallerLoad();
        var ada = new GuardCaller("ada", "s");
        for (int i = 0; i < CallerLoad.MaxPerCaller; i++)
        {
            Assert.That(load.TryEnter(ada));
        }

        Assert.That(load.TryEnter(new GuardCaller("ada", "s")), Is.False);
        Assert.That(load.TryEnter(new GuardCaller("bob", "s")));
        load.Leave(ada);
        Assert.That(load.TryEnter(ada));
    }

    [TestCase("test://{name}/t/{id}", "test://x/t/1", true)]
    [TestCase("test://{name}/t/{id}", "test://x/u/1", false)]
    [TestCase("test://a", "test://a", true)]
    [TestCase("test://a", "test://a/b", false)]
    [TestCase("{+any}", "anything", true)]
    [TestCase("a{x}b{y}c", "abc", true)]
    [TestCase("a{x}b{y}c", "ac", false)]
    [TestCase("a{x}a", "a", false)]
    [TestCase("test://{unclosed", "test://anything", true)]
    [TestCase("x{a}{b}", "x", true)]
    public void CouldBe_TemplateAndUri_ErrsTowardsYes(string template, string uri, bool expected) =>
        Assert.That(UriTemplateShape.Of(template).CouldBe(uri), Is.EqualTo(expected));

    [Test]
    public void QualifiedUri_OfAnyServer_BelongsToThatServerOnly() => Prop.ForAll<NonEmptyString, NonEmptyString, NonEmptyString>((server, other, uri) =>
    {
        string shown = QualifiedUri.Compose(server.Get, uri.Get);
        return QualifiedUri.IsReserved(shown)
            && QualifiedUri.TryStrip(server.Get, shown) == uri.Get
            && (server.Get == other.Get || QualifiedUri.TryStrip(other.Get, shown) is null);
    }).Check(Properties.Config());
}
