using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

[TestFixture]
internal sealed class ConnectionStateTests
{
    private const string Call = """{"name":"echo","_meta":{"progressToken":7,"io.modelcontextprotocol/clientInfo":{"name":"c"},"traceparent":"x"}}""";

    [Test]
    public async Task Create_Connection_HasAnIdOfItsOwnAndAPlaceOfItsServer()
    {
        await using var guard = new GuardFixture(_ => { });
        var first = new ConnectionState(guard.Host.Runtime, guard.Guard.OpenConnection("test").State.Server);
        var second = new ConnectionState(guard.Host.Runtime, first.Server);
        Assert.That(first.ConnectionId, Does.Match("^[0-9a-f]{32}$").And.Not.EqualTo(second.ConnectionId));
        Assert.That((first.NamesKey, first.SharesNames, first.HasLeftNames), Is.EqualTo(("host:test", true, false)));
        Assert.That(first.ConnectionCaller, Is.EqualTo(GuardCaller.ForConnection(first.ConnectionId)));
    }

    [Test]
    public async Task RefreshTools_ListedTools_AreStaleAndTheClientIsTold()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        ConnectionState connection = guard.Connection.State;
        Assert.That(connection.Tools.IsStale, Is.False, "listed");
        connection.RefreshTools();
        Assert.That(connection.Tools.IsStale, Is.True, "where nobody is to be told too");
        bool wasStale = false;
        connection.AnnounceTools = () => wasStale = connection.Tools.IsStale;
        connection.RefreshTools();
        Assert.That(wasStale, Is.True);
    }

    [TestCase(null, null, Call, "{}")]
    [TestCase("2025-11-25", null, Call, "{}")]
    [TestCase("2025-11-25", "page 2", Call, """{"cursor":"page 2"}""")]
    [TestCase("2026-07-28", null, Call, """{"_meta":{"io.modelcontextprotocol/clientInfo":{"name":"c"},"traceparent":"x"}}""")]
    [TestCase("2026-07-28", "page 2", Call, """{"cursor":"page 2","_meta":{"io.modelcontextprotocol/clientInfo":{"name":"c"},"traceparent":"x"}}""")]
    [TestCase("2026-07-28", null, """{"name":"echo"}""", "{}")]
    [TestCase("2026-07-28", null, """{"name":"echo","_meta":["x"]}""", "{}")]
    [TestCase("2026-07-28", null, "[1]", "{}")]
    public async Task CreateOwnListRequest_Cause_LendsItsEnvelopeButNotItsProgress(string? version, string? cursor, string cause, string expected)
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        ConnectionState connection = guard.Connection.State;
        connection.ProtocolVersion = version;
        RequestContext own = connection.CreateOwnListRequest(Cause(connection, cause), cursor);
        Assert.That(own.Current.GetRawText(), Is.EqualTo(expected));
        Assert.That((own.Method, own.IsOwn, own.Fault, own.Caller), Is.EqualTo(("tools/list", true, (string?)null, connection.ConnectionCaller)));
    }

    [Test]
    public async Task CreateOwnListRequest_CauseWithoutParameters_IsEmpty()
    {
        await using ScriptedPipeline guard = await ScriptedPipeline.StartAsync();
        guard.Connection.State.ProtocolVersion = "2026-07-28";
        RequestContext cause = guard.Connection.State.CreateRequest("ping", ScriptedPipeline.Ada);
        Assert.That(guard.Connection.State.CreateOwnListRequest(cause, null).Current.GetRawText(), Is.EqualTo("{}"));
        Assert.That((cause.Caller, cause.IsOwn), Is.EqualTo((ScriptedPipeline.Ada, false)));
    }

    private static RequestContext Cause(ConnectionState connection, string parameters)
    {
        RequestContext cause = connection.CreateRequest("tools/call", ScriptedPipeline.Ada);
        cause.SetPayload(JsonElement.Parse(parameters));
        return cause;
    }
}
