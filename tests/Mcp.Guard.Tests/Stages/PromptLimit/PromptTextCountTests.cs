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

    /// <summary>
    /// The bound of each kind of piece: its words, signs, blanks, digits and scripts. Every one is at least the exact count (<see cref="ConservativeTokenCounterTests"/>); a looser one
    /// would refuse prompts that fit.
    /// </summary>
    [TestCase("a", 1)]
    [TestCase("ab", 1)]
    [TestCase("abc", 1)]
    [TestCase("abcd", 2)]
    [TestCase("Hello", 3)]
    [TestCase("hello", 3)]
    [TestCase("HELLO", 3)]
    [TestCase("HelloWorld", 6)]
    [TestCase("helloWorld", 6)]
    [TestCase(" hello", 3)]
    [TestCase(" Hello world", 6)]
    [TestCase("  two", 3)]
    [TestCase("   three    four", 8)]
    [TestCase("tab\tab", 3)]
    [TestCase("line\nline", 5)]
    [TestCase("line\r\nline", 5)]
    [TestCase("\n\n\n", 2)]
    [TestCase("a\n\nb", 3)]
    [TestCase("it's", 3)]
    [TestCase("don't you'll we've", 12)]
    [TestCase("I'M", 3)]
    [TestCase("O'Brien", 5)]
    [TestCase("x'", 2)]
    [TestCase("'quoted'", 6)]
    [TestCase("\"quoted\"", 5)]
    [TestCase("a.b", 3)]
    [TestCase("a/b/c", 5)]
    [TestCase("a//b", 4)]
    [TestCase("http://", 4)]
    [TestCase("foo(bar)", 4)]
    [TestCase("(x)", 3)]
    [TestCase("x=1;", 4)]
    [TestCase("x == y", 4)]
    [TestCase("i++", 2)]
    [TestCase("-->", 2)]
    [TestCase("...", 2)]
    [TestCase("a, b", 3)]
    [TestCase("12", 1)]
    [TestCase("123", 1)]
    [TestCase("1234", 2)]
    [TestCase("12345678901", 4)]
    [TestCase("a1", 2)]
    [TestCase("1a", 2)]
    [TestCase("v1.2.3", 6)]
    [TestCase("\u00e9", 1)]
    [TestCase("\u00e9t\u00e9", 3)]
    [TestCase("na\u00efve", 4)]
    [TestCase("\u4e2d", 1)]
    [TestCase("\u4e2d\u6587", 2)]
    [TestCase("\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8", 7)]
    [TestCase("\ud55c\uad6d\uc5b4", 4)]
    [TestCase("\U0001F642", 1)]
    [TestCase("\U0001F642\U0001F642", 2)]
    [TestCase("\U0001F44D\U0001F3FD", 3)]
    [TestCase("a\U0001F642b", 3)]
    [TestCase("\u0661\u0662\u0663", 3)]
    [TestCase("12\u0663", 3)]
    [TestCase("\u00a0", 1)]
    [TestCase("\u2003x", 2)]
    [TestCase("zzzz", 2)]
    [TestCase("qxzj", 3)]
    [TestCase("qqqqqq", 4)]
    [TestCase("thequick", 4)]
    [TestCase("snake_case_name", 9)]
    [TestCase("camelCaseName", 7)]
    [TestCase("UPPER_CASE", 7)]
    [TestCase("aA", 2)]
    [TestCase("Aa", 1)]
    [TestCase("aAa", 2)]
    [TestCase("the the the", 5)]
    [TestCase("if (x) {\n    y();\n}\n", 13)]
    [TestCase("{\"a\":1}", 5)]
    [TestCase("<b>x</b>", 7)]
    [TestCase("- item\n- item", 9)]
    [TestCase("$100", 2)]
    [TestCase("50%", 2)]
    [TestCase("a@b.c", 5)]
    [TestCase("#tag", 2)]
    [TestCase("C++", 2)]
    [TestCase("C#", 2)]
    [TestCase("\t\t\tx", 4)]
    [TestCase("x\t\t", 3)]
    [TestCase("end ", 2)]
    [TestCase("    ", 2)]
    [TestCase("     x", 2)]
    public void Count_ShortText_IsNoLooserThanItsRule(string text, int bound) => Assert.That(ConservativeTokenCounter.Instance.Count(text), Is.EqualTo(bound));

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
