using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonStringWalkerTests
{
    [TestCase("1", "")]
    [TestCase("\"s\"", "s||-")]
    [TestCase("""["s",["t"],"u"]""", "s|/0|- t|/1/0|- u|/2|-")]
    [TestCase("""{"a":"s","b":{"c":"t"},"d":1}""", "a:|/a|a s|/a|a b:|/b|b c:|/b/c|c t|/b/c|c d:|/d|d")]
    [TestCase("""{"a":["s",["t",{"b":"u"}]]}""", "a:|/a|a s|/a/0|a t|/a/1/0|a b:|/a/1/1/b|b u|/a/1/1/b|b")]
    [TestCase("""[{"\u0061/~":["s"]}]""", "a/~:|/0/a~1~0|a/~ s|/0/a~1~0/0|a/~")]
    [TestCase("""{"":"s"}""", ":|/| s|/|")]
    public void TryWalk_Value_VisitsEveryStringWithItsWayAndNearestName(string json, string expected)
    {
        var recorder = new PlaceRecorder(null, null);
        Assert.That(JsonStringWalker.TryWalk(JsonElement.Parse(json), ref recorder), Is.True);
        Assert.That(string.Join(' ', recorder.Seen.Select(seen => $"{seen.Text}{(seen.IsName ? ":" : "")}|{seen.Pointer}|{seen.NearestName ?? "-"}")), Is.EqualTo(expected));
    }

    [TestCase("""["a","end","b"]""", 2)]
    [TestCase("""{"a":"end","b":"c"}""", 2)]
    [TestCase("""{"end":"a","b":"c"}""", 1)]
    [TestCase("""[["a",["end","b"]],"c"]""", 2)]
    [TestCase("""[{"end":["a"]},"c"]""", 1)]
    public void TryWalk_VisitorThatHasSeenEnough_IsAskedNoMore(string json, int visits)
    {
        var recorder = new PlaceRecorder(null, "end");
        Assert.That(JsonStringWalker.TryWalk(JsonElement.Parse(json), ref recorder), Is.True, "the value is not too deep");
        Assert.That(recorder.Seen, Has.Count.EqualTo(visits));
    }

    [TestCase(JsonStringWalker.MaxDepth, true)]
    [TestCase(JsonStringWalker.MaxDepth + 1, false)]
    [TestCase(JsonStringWalker.MaxDepth + 100, false)]
    public void TryWalk_ReadingOfAnyDepth_IsRefusedBeyondTheLimit(int depth, bool expected)
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('[', depth) + "\"s\"" + new string(']', depth));
        var tape = new Mcp.Guard.Stages.Schema.JsonSchema.JsonTape();
        Assert.That(StrictJsonParser.Parse(text, new JsonTextLimits(int.MaxValue, 512, JsonToken.MaxCount), tape), Is.EqualTo(JsonTextFault.None));
        var recorder = new PlaceRecorder(null, null);
        Assert.That(JsonStringWalker.TryWalk(new JsonView(text, tape), 0, ref recorder), Is.EqualTo(expected));
        Assert.That(recorder.Seen, Has.Count.EqualTo(expected ? 1 : 0));
    }

    [TestCase("""{"a":"s","a":"t"}""")]
    [TestCase("""["\ud800"]""")]
    public void TryWalk_TextThatReadersDisagreeAbout_IsRefused(string json)
    {
        var recorder = new PlaceRecorder(null, null);
        Assert.That(JsonStringWalker.TryWalk(JsonElement.Parse(json), ref recorder), Is.False);
    }

    [Test]
    [Category("Allocation")]
    public void TryWalk_UsualValue_AllocatesNothing()
    {
        JsonElement value = JsonElement.Parse("""{"a":["s",{"b":"\u0074"}],"c":"u"}""");
        var counter = default(PlaceCounter);
        long before = 0;
        for (int i = 0; i < 100; i++)
        {
            // What a thread keeps is made in the first rounds.
            before = i == 50 ? GC.GetAllocatedBytesForCurrentThread() : before;
            JsonStringWalker.TryWalk(value, ref counter);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(counter.Count, Is.EqualTo(600));
    }

    private struct PlaceCounter : IJsonStringVisitor
    {
        public int Count { get; private set; }

        public bool Visit(in JsonStringPlace place)
        {
            Count++;
            return true;
        }
    }
}
