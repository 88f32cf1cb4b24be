using System.Text.Json;
using Mcp.Guard.Stages.PromptLimit;

namespace Mcp.Guard.Tests.Stages.PromptLimit;

/// <summary>Which texts of a prompt are counted, and that counting ends once the limit is passed.</summary>
[TestFixture]
internal sealed class PromptTextCountTests
{
    [TestCase("\"abc\"", 3)]
    [TestCase("[\"ab\",[\"c\"],{\"x\":\"de\",\"y\":{\"z\":[\"f\"]}}]", 6)]
    [TestCase("[1,true,null,{\"name\":7}]", 0)]
    [TestCase("\"\\ud83d\\ude42\"", 2)]
    public void CountTexts_Value_CountsEachTextBelowIt(string json, int expected)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Assert.That(PromptLimitStage.CountTexts(document.RootElement, new Lengths(), 100), Is.EqualTo(expected));
    }

    [TestCase("[\"ab\",\"cd\",\"ef\",\"gh\"]", 4, 3)]
    [TestCase("{\"a\":\"ab\",\"b\":\"cd\",\"c\":\"ef\",\"d\":\"gh\"}", 4, 3)]
    [TestCase("[\"ab\",\"cd\",\"ef\",\"gh\"]", 8, 4)]
    [TestCase("[\"ab\",\"cd\"]", 0, 1)]
    public void CountTexts_LimitPassed_EndsThere(string json, int limit, int texts)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        var counter = new Lengths();
        Assert.That(PromptLimitStage.CountTexts(document.RootElement, counter, limit), Is.EqualTo(2 * texts));
        Assert.That(counter.Texts, Is.EqualTo(texts));
    }

    [TestCase("", 0)]
    [TestCase("7", 1)]
    [TestCase("1234567", 3)]
    [TestCase("123456", 2)]
    [TestCase("z", 1)]
    public void Count_TextOfOnePieceADigitGroup_IsExact(string text, int tokens) => Assert.That(ConservativeTokenCounter.Instance.Count(text), Is.EqualTo(tokens));

    [TestCase("The quick brown fox jumps over the lazy dog.")]
    [TestCase("int i = 0;\r\nwhile (i < 10) { i += 1; } // it's")]
    [TestCase("été 中文 🙂 {half} 12\u066034   x")]
    public void Count_Text_IsNeverMoreThanItsBytesNorLessForMore(string text)
    {
        // Attributes are kept as UTF-8, which has no half of a surrogate pair.
        text = text.Replace("{half}", "\ud83d", StringComparison.Ordinal);
        int before = 0;
        for (int length = 1; length <= text.Length; length++)
        {
            int count = ConservativeTokenCounter.Instance.Count(text.AsSpan(0, length));
            Assert.That(count, Is.InRange(1, System.Text.Encoding.UTF8.GetByteCount(text.AsSpan(0, length)) + 2), text[..length]);
            Assert.That(count, Is.GreaterThanOrEqualTo(before - 3), text[..length]);
            before = count;
        }
    }

    private sealed class Lengths : ITokenCounter
    {
        public int Texts { get; private set; }

        public int Count(ReadOnlySpan<char> text)
        {
            Texts++;
            return text.Length;
        }
    }
}
