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

    [Test]
    public void Cut_TextOverTheLimit_KeepsWholeBlocksThenAPrefixThenTheNotice()
    {
        JsonElement cut = Cut("""{"content":[{"type":"text","text":"first"},{"type":"text","text":"aé🙂🙂"},{"type":"text","text":"never"}],"isError":true}""", 31 + 9)!.Value;
        string[] texts = [.. cut.GetProperty("content").EnumerateArray().Select(b => b.GetProperty("text").GetString()!)];
        Assert.That(texts[..2], Is.EqualTo((string[])["first", "aé🙂"]));
        Assert.That(texts[2], Does.StartWith("[Cut by the host:"));
        Assert.That(cut.GetProperty("isError").GetBoolean(), Is.True);
        Assert.That(texts, Has.Length.EqualTo(3));
    }

    [TestCase("""{"content":[{"type":"image","data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","mimeType":"image/png"}]}""", 1)]
    [TestCase("""{"content":["\ud800 \ud800 \ud800 \ud800 \ud800 \ud800"]}""", 1)]
    [TestCase("""{"content":[{"type":"text","text":"\ud800\ud800\ud800\ud800\ud800\ud800"}]}""", 2)]
    public void Cut_BlocksThatCannotBeCut_AreLeftOut(string result, int blocks) =>
        Assert.That(Cut(result, 10)!.Value.GetProperty("content").GetArrayLength(), Is.EqualTo(blocks));

    [TestCase("""{"content":[],"structuredContent":{}}""")]
    [TestCase("""{"content":"text"}""")]
    [TestCase("""{"content":[{"type":"\ud800","text":7}]}""")]
    [TestCase("[]")]
    [TestCase("{}")]
    public void Cut_ResultThatIsNotTextOnly_IsNotCut(string result) => Assert.That(Cut(result, 10), Is.Null);

    private static JsonElement? Cut(string result, long maxBytes)
    {
        using JsonDocument document = JsonDocument.Parse(result);
        return TextResultCutter.Cut(document.RootElement, maxBytes);
    }
}
