using System.Text;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class JsonReadingTests
{
    private static readonly (string Name, string Text, JsonTextFault Fault, bool IsLimit)[] Texts =
    [
        ("all bytes", $"\"{new string('x', MessageLimits.MaxRequestBytes - 2)}\"", JsonTextFault.None, false),
        ("one byte more", $"\"{new string('x', MessageLimits.MaxRequestBytes - 1)}\"", JsonTextFault.TooLarge, true),
        ("many values", $"[{string.Join(',', Enumerable.Repeat("1", 100_001))}]", JsonTextFault.TooManyTokens, true),
        ("long number", new string('7', 1_001), JsonTextFault.NumberTooLong, true),
        ("deep", new string('[', 65) + new string(']', 65), JsonTextFault.TooDeep, false),
        ("a name twice", """{"a":1,"\u0061":2}""", JsonTextFault.DuplicateName, false),
        ("half of a pair", """["\ud800"]""", JsonTextFault.LoneSurrogate, false),
        ("a comma too many", "[1,]", JsonTextFault.Syntax, false),
    ];

    /// <summary>Only what is too long may be read in another way; what readers disagree about is accepted by none.</summary>
    [Test]
    public void TryRead_Text_IsReadOrTellsWhetherOnlyALimitIsAgainstIt()
    {
        Assert.Multiple(() =>
        {
            foreach ((string name, string text, JsonTextFault fault, bool isLimit) in Texts)
            {
                Assert.That(JsonReading.TryRead(Encoding.UTF8.GetBytes(text), out JsonReading? reading), Is.EqualTo(fault), name);
                Assert.That(reading is not null, Is.EqualTo(fault == JsonTextFault.None), name);
                Assert.That(JsonReading.IsLimit(fault), Is.EqualTo(isLimit), name);
            }
        });
    }

    [TestCase("""{"a":"b\n","\u0063":1}""")]
    [TestCase("[]")]
    public void TryRead_BytesThatChangeLater_AreReadAsTheyWere(string json)
    {
        byte[] text = Encoding.UTF8.GetBytes(json);
        JsonReading.TryRead(text, out JsonReading? reading);
        string digest = ArgumentsDigest.Compute(reading!.View, 0);
        Array.Fill(text, (byte)'x');
        JsonReading.TryRead("""{"other":"\n"}"""u8, out _);
        Assert.That(ArgumentsDigest.Compute(reading.View, 0), Is.EqualTo(digest));
        Assert.That(Encoding.UTF8.GetString(reading.Text), Is.EqualTo(json));
    }

    [TestCase("""{"a":"b\n"}""")]
    [TestCase("""{"a":1,"a":1}""")]
    public void TryRead_AnyText_LeavesTheThreadItsWorkspace(string json)
    {
        ValidationWorkspace workspace = ValidationWorkspace.Take();
        workspace.Return();
        JsonReading.TryRead(Encoding.UTF8.GetBytes(json), out _);
        ValidationWorkspace next = ValidationWorkspace.Take();
        next.Return();
        Assert.That(next, Is.SameAs(workspace), "a reading that keeps it costs every later one a new one");
    }
}
