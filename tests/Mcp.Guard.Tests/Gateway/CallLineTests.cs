using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Gateway;

namespace Mcp.Guard.Tests.Gateway;

/// <summary>Which lines of a client are taken as calls without the SDK's reader: only those that can be read in one way.</summary>
[TestFixture]
internal sealed class CallLineTests
{
    private const string Plain = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1}}}""";

    [TestCase(Plain, "1")]
    [TestCase("""{"params":{"name":"t"},"method":"tools/call","id":"x","jsonrpc":"2.0"}""", "x")]
    [TestCase("""  { "jsonrpc" : "2.0" , "id" : -5, "method": "tools/call", "params": { } }  """, "-5")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"meth\u006fd":"tools/call","params":{"name":"t"}}""", "1")]
    public void TryRead_PlainCall_IsTaken(string line, string id)
    {
        Assert.That(CallLine.TryRead(Encoding.UTF8.GetBytes(line), out CallLine call), Is.True);
        Assert.That(call.Id.ToString(), Is.EqualTo(id));
        Assert.That(call.Parameters.ValueKind, Is.EqualTo(JsonValueKind.Object));
    }

    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"note":"\"tools/call\""}}""", TestName = "another method")]
    [TestCase("""{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}""", TestName = "a notification")]
    [TestCase("""{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"t"}}""", TestName = "no id")]
    [TestCase("""{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"t"}}""", TestName = "an id that is no whole number")]
    [TestCase("""{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"t"}}""", TestName = "an id that is an object")]
    [TestCase("""{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"t"}}""", TestName = "another version")]
    [TestCase("""{"id":1,"method":"tools/call","params":{"name":"t"}}""", TestName = "no version")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call"}""", TestName = "no parameters")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}""", TestName = "parameters that are a list")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"t"}}""", TestName = "two ids")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"t"}}""", TestName = "two methods, the other first")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{"name":"t"}}""", TestName = "two methods")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"},"params":{"name":"u"}}""", TestName = "parameters twice")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","name":"u"}}""", TestName = "a name twice")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1,"\u0061":2}}}""", TestName = "an argument twice, once escaped")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"},"result":{}}""", TestName = "a request that is a reply too")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}} {}""", TestName = "two values")]
    [TestCase("""[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}]""", TestName = "a batch")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}""", TestName = "cut off")]
    [TestCase("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}""", TestName = "half a surrogate pair")]
    public void TryRead_AnythingElse_IsLeftToTheSdk(string line) => Assert.That(CallLine.TryRead(Encoding.UTF8.GetBytes(line), out _), Is.False);

    [Test]
    public void TryRead_TextThatIsNoUnicode_IsLeftToTheSdk()
    {
        byte[] line = Encoding.Latin1.GetBytes("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"téé"}}""");
        Assert.That(CallLine.TryRead(line, out _), Is.False);
    }

    [Test]
    public void TryRead_DeeperThanIsJudged_IsLeftToTheSdk()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 70)) + string.Concat(Enumerable.Repeat("]", 70));
        string line = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":""" + deep + "}}}";
        Assert.That(CallLine.TryRead(Encoding.UTF8.GetBytes(line), out _), Is.False);
    }

    [Test]
    public void TryRead_AnyBytes_NeverThrowsAndTakesOnlyWholeCalls() =>
        Prop.ForAll(
            ArbMap.Default.ArbFor<(byte At, byte Value, byte Cut)>(),
            change =>
            {
                byte[] line = Encoding.UTF8.GetBytes(Plain);
                line[change.At % line.Length] = change.Value;
                line = line[..Math.Max(1, line.Length - (change.Cut % 4 == 0 ? change.Cut / 4 : 0))];
                if (!CallLine.TryRead(line, out CallLine call))
                {
                    return true;
                }

                // What is taken is what a strict reader of the whole line reads.
                JsonElement whole = JsonElement.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
                return whole.GetProperty("method").ValueEquals("tools/call") && JsonElement.DeepEquals(whole.GetProperty("params"), call.Parameters);
            }).Check(Properties.Config());
}
