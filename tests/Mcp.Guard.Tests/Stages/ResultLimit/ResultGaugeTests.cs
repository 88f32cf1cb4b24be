using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.ResultLimit;

namespace Mcp.Guard.Tests.Stages.ResultLimit;

[TestFixture]
internal sealed class ResultGaugeTests
{
    private static readonly ResultLimits Small = new() { MaxBytes = 1000, MaxItems = 10, MaxDepth = 4 };

    [TestCase("""{"content":[]}""", "Fits")]
    [TestCase("[[[[]]]]", "Fits")]
    [TestCase("[[[[[]]]]]", "TooDeep")]
    [TestCase("""{"a":{"b":{"c":{"d":{}}}}}""", "TooDeep")]
    [TestCase("[1,2,3,4,5,6,7,8,9]", "Fits")]
    [TestCase("[1,2,3,4,5,6,7,8,9,10]", "TooManyItems")]
    [TestCase("[[],[],[],[],[],[],[],[],[],[]]", "TooManyItems")]
    [TestCase("\"\\ud800\"", "Fits")]
    [TestCase("[1,", "Unreadable")]
    public void Measure_Text_NamesTheFirstLimitPassed(string json, string expected) =>
        Assert.That(ResultGauge.Measure(Encoding.UTF8.GetBytes(json), Small).ToString(), Is.EqualTo(expected));

    [Test]
    public void Measure_BytesOverTheLimit_IsRefusedUnread()
    {
        Assert.That(ResultGauge.Measure(Encoding.UTF8.GetBytes($"\"{new string('x', 998)}\""), Small), Is.EqualTo(ResultSize.Fits));
        Assert.That(ResultGauge.Measure(Encoding.UTF8.GetBytes($"\"{new string('x', 999)}\""), Small), Is.EqualTo(ResultSize.TooManyBytes));
    }

    [Test]
    public void Measure_DepthOfAHundredThousand_IsRefusedEarly() =>
        Assert.That(ResultGauge.Measure(Encoding.UTF8.GetBytes(new string('[', 100_000)), ResultLimits.Default), Is.EqualTo(ResultSize.TooDeep));

    [Test]
    public void Measure_Element_MeasuresItsOwnTextOnly()
    {
        using JsonDocument document = JsonDocument.Parse("""{"big":[1,2,3,4,5,6,7,8,9,10,11,12],"small":[1]}""");
        Assert.That(ResultGauge.Measure(document.RootElement.GetProperty("small"), Small), Is.EqualTo(ResultSize.Fits));
        Assert.That(ResultGauge.Measure(document.RootElement.GetProperty("big"), Small), Is.EqualTo(ResultSize.TooManyItems));
    }

    [TestCase("aé🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂")]
    [TestCase("\u0001\u0002\u0003\"\\\n<&>")]
    [TestCase(null, TestName = "Cut_LoneSurrogatesOverTheLimit_KeepsWholeBlocksThenAPrefixThenTheNotice")]
    public void Cut_TextOverTheLimit_KeepsWholeBlocksThenAPrefixThenTheNotice(string? unit)
    {
        // Attributes are kept as UTF-8, which has no lone surrogate: U+FFFD would stand there.
        unit ??= ((char)0xD800).ToString();
        string text = string.Concat(Enumerable.Repeat(unit, 1000));
        string json = $$"""{"content":[{"type":"text","text":"first"},{"type":"text","text":"{{string.Concat(text.Select(c => $"\\u{(int)c:x4}"))}}"},{"type":"text","text":"never"}],"isError":true}""";
        for (int limit = 330; limit < 900; limit++)
        {
            JsonElement cut = Cut(json, limit)!.Value;
            Assert.That(Encoding.UTF8.GetByteCount(cut.GetRawText()), Is.LessThanOrEqualTo(limit), "the cut result passes the limit that it was cut to");
            string[] texts = [.. cut.GetProperty("content").EnumerateArray().Select(b => b.GetProperty("text").GetString()!)];
            Assert.That(texts, Has.Length.EqualTo(3), $"limit {limit}");
            Assert.That(texts[0], Is.EqualTo("first"));
            Assert.That(text.Replace('\ud800', '\ufffd'), Does.StartWith(texts[1]).Or.StartWith(texts[1].Replace('\ud800', '\ufffd')));
            Assert.That(texts[1].Length == 0 || !char.IsHighSurrogate(texts[1][^1]), Is.True, "no character is cut in two");
            Assert.That(texts[2], Does.StartWith("[Cut by the host:"));
            Assert.That(cut.GetProperty("isError").GetBoolean(), Is.True);
        }
    }

    [TestCase("image", 1)]
    [TestCase("text", 2)]
    public void Cut_FirstBlockOverTheLimit_IsKeptInPartOnlyWhereItIsText(string type, int blocks) =>
        Assert.That(Cut($$"""{"content":[{"type":"{{type}}","text":"{{new string('x', 1000)}}"}]}""", 400)!.Value.GetProperty("content").GetArrayLength(), Is.EqualTo(blocks));

    [TestCase("""{"content":[],"structuredContent":{}}""")]
    [TestCase("""{"content":"text"}""")]
    [TestCase("[]")]
    [TestCase("{}")]
    public void Cut_ResultThatIsNotTextOnly_IsNotCut(string result) => Assert.That(Cut(result, 1000), Is.Null);

    [Test]
    public void Cut_LoneSurrogateWhereATypeIsExpected_IsNotCut() =>
        Assert.That(Cut("{\"content\":[{\"type\":\"\\ud800\",\"text\":\"" + new string('x', 2000) + "\"}]}", 1000), Is.Null);

    [Test]
    public void Cut_LimitTooSmallForTheNotice_IsNotCut() => Assert.That(Cut("""{"content":[]}""", 100), Is.Null);

    [TestCase("\"isError\":false,\"resultType\":\"complete\"", "isError", "resultType")]
    [TestCase("\"isError\":\"no\",\"resultType\":7,\"_meta\":{}")]
    [TestCase("\"resultType\":\"12345678901234567890123456789012\"", "resultType")]
    [TestCase("\"resultType\":\"123456789012345678901234567890123\"")]
    public void Cut_MembersBesideTheContent_StayOnlyWhereTheyAreKnown(string members, params string[] kept)
    {
        string result = $$"""{"content":[{"type":"text","text":"{{new string('x', 1000)}}"}],{{members}}}""";
        JsonElement cut = Cut(result, 600)!.Value;
        Assert.That(cut.EnumerateObject().Select(member => member.Name), Is.EqualTo((string[])["content", .. kept]));
        Assert.That(
            cut.GetProperty("content")[1].GetProperty("text").GetString(),
            Does.Match($"^\\[Cut by the host: the result has {result.Length} bytes in 1 blocks, of which about [0-9]+ bytes may pass; 0 blocks are whole.\\]$"));
    }

    private static JsonElement? Cut(string result, long maxBytes)
    {
        using JsonDocument document = JsonDocument.Parse(result);
        return TextResultCutter.Cut(document.RootElement, maxBytes);
    }
}
