using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>Which keys of <c>_meta</c> pass, in each form that a message may have; that every message goes through it is tested with a connection.</summary>
[TestFixture]
internal sealed class MetaFilterTests
{
    private static readonly FrozenSet<string> None = FrozenSet<string>.Empty;

    private static readonly string[] Known =
    [
        "progressToken", "traceparent", "tracestate", "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/serverInfo", "io.modelcontextprotocol/clientCapabilities", "io.modelcontextprotocol/logLevel", "io.modelcontextprotocol/subscriptionId",
    ];

    [Test]
    public void Passes_Key_OnlyTheProtocolsAndTheNamed()
    {
        FrozenSet<string> named = FrozenSet.Create(StringComparer.Ordinal, "example.com/a");
        Assert.Multiple(() =>
        {
            Assert.That(Known.Where(key => !MetaFilter.Passes(Encoding.UTF8.GetBytes(key), None)), Is.Empty);
            Assert.That(Known.Where(key => MetaFilter.Passes(Encoding.UTF8.GetBytes(key + "x"), named)), Is.Empty);
            Assert.That(Known.Where(key => MetaFilter.Passes(Encoding.UTF8.GetBytes(key.ToUpperInvariant()), named)), Is.Empty);
            Assert.That(MetaFilter.Passes("example.com/a"u8, named), Is.True);
            Assert.That(MetaFilter.Passes("example.com/A"u8, named), Is.False);
            Assert.That(MetaFilter.Passes("example.com/a"u8, None), Is.False);
            Assert.That(MetaFilter.Passes(""u8, named), Is.False);
        });
    }

    [TestCase("""{"name":"t"}""", """{"name":"t"}""")]
    [TestCase("""{"name":"t","_meta":{}}""", """{"name":"t","_meta":{}}""")]
    [TestCase("""{"_meta":{"traceparent":"x"},"name":"t"}""", """{"_meta":{"traceparent":"x"},"name":"t"}""")]
    [TestCase("""{"_meta":{"progressToken":1,"traceparent":"x"},"name":"t"}""", """{"_meta":{"progressToken":1,"traceparent":"x"},"name":"t"}""")]
    [TestCase("""{"_meta":{"secret":1},"name":"t"}""", """{"_meta":{},"name":"t"}""")]
    [TestCase("""{"_meta":{"secret":1,"progressToken":1},"name":"t"}""", """{"_meta":{"progressToken":1},"name":"t"}""")]
    [TestCase("""{"name":"t","_meta":{"progressToken":1,"secret":{"traceparent":1}},"arguments":{"_meta":{"secret":2}}}""", """{"name":"t","_meta":{"progressToken":1},"arguments":{"_meta":{"secret":2}}}""")]
    [TestCase("""{"_meta":{"toServer":1,"fromServer":2,"ToServer":3},"name":"t"}""", """{"_meta":{"$":1},"name":"t"}""")]
    [TestCase("""{"_meta":{"\u0074oServer":1,"\u0066romServer":2,"tracepare\u006et":3},"name":"t"}""", """{"_meta":{"$":1,"traceparent":3},"name":"t"}""")]
    [TestCase("""{"_meta":["secret"],"name":"t"}""", """{"name":"t"}""")]
    [TestCase("""{"name":"t","_meta":"secret"}""", """{"name":"t"}""")]
    [TestCase("""{"name":"t","_meta":null}""", """{"name":"t"}""")]
    [TestCase("""["_meta",{"secret":1}]""", """["_meta",{"secret":1}]""", Description = "no parameters; refused elsewhere")]
    public async Task Filter_Value_LeavesKnownAndNamedKeysOnly(string given, string expected)
    {
        await using var guard = new GuardFixture(server => server.With("meta", """{"toServer":["toServer"],"fromServer":["fromServer"]}"""));
        ConnectionState connection = guard.Guard.OpenConnection("test").State;
        ServerSettings settings = connection.Settings(connection.Policy)!;
        JsonElement value = JsonElement.Parse(given);
        Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes(given), out RequestPayload reading, out _), Is.True);
        string toServer = expected.Replace("\"$\"", "\"toServer\"", StringComparison.Ordinal);
        string fromServer = expected.Replace("\"$\":1", "\"fromServer\":2", StringComparison.Ordinal);
        string unnamed = expected.Replace("\"$\":1,", string.Empty, StringComparison.Ordinal).Replace("\"$\":1", string.Empty, StringComparison.Ordinal);
        Assert.Multiple(() =>
        {
            AssertSame(MetaFilter.ToServer(value, settings), toServer);
            AssertSame(MetaFilter.ToServer(reading, settings).Element, toServer);
            AssertSame(MetaFilter.ToServer(Loose(value), settings).Element, toServer);
            AssertSame(MetaFilter.FromServer(value, settings), fromServer);
            AssertSame(MetaFilter.ToServer(value, null), unnamed);
            AssertSame(MetaFilter.ToServer(reading, null).Element, unnamed);
            AssertSame(MetaFilter.ToServer(Loose(value), null).Element, unnamed);
            AssertSame(MetaFilter.FromServer(value, null), unnamed);
        });
    }

    [Test]
    public void ToServer_NothingToTake_IsTheSamePayload()
    {
        Assert.That(MetaFilter.ToServer(RequestPayload.None, null), Is.SameAs(RequestPayload.None));
        RequestPayload loose = Loose(JsonElement.Parse("""{"_meta":{"progressToken":1},"arguments":{"a":1}}"""));
        Assert.That(loose.TryFindArguments(), Is.True);
        Assert.That(MetaFilter.ToServer(loose, null), Is.SameAs(loose), "with the arguments that it found");
    }

    [TestCase("""{"_meta":{"secret":1},"x":{"a":1,"a":2}}""", """{"_meta":{},"x":{"a":1,"a":2}}""")]
    [TestCase("""{"_meta":{"secret":1,"secret":2,"progressToken":3}}""", """{"_meta":{"progressToken":3}}""")]
    public void ToServer_ValueOfAHostsStageThatIsNotStrict_IsFilteredToo(string given, string expected) =>
        AssertSame(MetaFilter.ToServer(RequestPayload.Of(JsonElement.Parse(given)), null).Element, expected);

    [Test]
    public void ToServer_BeyondWhatIsReadOnce_IsFilteredToo()
    {
        string digits = new('7', 1_500);
        Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes("""{"_meta":{"secret":1,"traceparent":"x"},"n":""" + digits + "}"), out RequestPayload payload, out _), Is.True);
        AssertSame(MetaFilter.ToServer(payload, null).Element, """{"_meta":{"traceparent":"x"},"n":""" + digits + "}");
    }

    /// <summary>A payload without a reading, as a host's stage may put in the place of a request's.</summary>
    private static RequestPayload Loose(JsonElement value) => RequestPayload.OfArguments(value);

    private static void AssertSame(JsonElement value, string expected) =>
        Assert.That(System.Text.Json.Nodes.JsonNode.Parse(value.GetRawText())!.ToJsonString(), Is.EqualTo(System.Text.Json.Nodes.JsonNode.Parse(expected)!.ToJsonString()));
}
