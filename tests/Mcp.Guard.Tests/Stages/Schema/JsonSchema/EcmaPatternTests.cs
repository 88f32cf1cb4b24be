using System.Text;
using System.Text.RegularExpressions;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

[TestFixture]
internal sealed class EcmaPatternTests
{
    private static bool IsMatch(string pattern, string text)
    {
        EcmaPattern? compiled = EcmaPattern.Compile(Encoding.UTF8.GetBytes(pattern), out string? error);
        Assert.That(error, Is.Null);
        int steps = 1_000_000;
        bool found = compiled!.IsMatch(Encoding.UTF8.GetBytes(text), ref steps);
        Assert.That(steps, Is.GreaterThanOrEqualTo(0));
        return found;
    }

    [TestCase("^abc$", "abc", true)]
    [TestCase("^abc$", "abc\n", false)]
    [TestCase("abc", "xxabcxx", true)]
    [TestCase("^a", "ba", false)]
    [TestCase("a$", "ba", true)]
    [TestCase("", "anything", true)]
    [TestCase("^$", "", true)]
    [TestCase("^$", "a", false)]
    [TestCase("^.$", "😀", true)]
    [TestCase("^.$", "\u2028", false)]
    [TestCase("^[^a]$", "\n", true)]
    [TestCase("^[]$", "a", false)]
    [TestCase("^[^]$", "é", true)]
    [TestCase("^\\p{Lu}\\P{Lu}$", "Éa", true)]
    [TestCase("^\\p{General_Category=Nd}+$", "٤٢", true)]
    [TestCase("^\\u{1F600}$", "😀", true)]
    [TestCase("^\\ud83d\\ude00$", "😀", true)]
    [TestCase("^[\\u{1F600}-\\u{1F64F}]+$", "😀🙏", true)]
    [TestCase("\\bfoo\\b", "a foo b", true)]
    [TestCase("\\bfoo\\b", "afoo b", false)]
    [TestCase("\\Boo", "foo", true)]
    [TestCase("^(a|ab)(c|bcd)(d*)$", "abcd", true)]
    [TestCase("^(?:a{2,3}){2}$", "aaaaa", true)]
    [TestCase("^(?:a{2,3}){2}$", "aaa", false)]
    [TestCase("^a{0}b$", "b", true)]
    [TestCase("^(a?){3}$", "aaa", true)]
    [TestCase("^(a*)*$", "aaa", true)]
    [TestCase("^(a*)*b$", "aaa", false)]
    [TestCase("(?=.*\\d)(?=.*[a-z])^.{4,8}$", "ab1c", true)]
    [TestCase("(?=.*\\d)(?=.*[a-z])^.{4,8}$", "abcd", false)]
    [TestCase("^(?!foo)", "bar", true)]
    [TestCase("^(?!foo)", "foobar", false)]
    [TestCase("(?<=\\$)\\d+$", "a$12", true)]
    [TestCase("(?<!\\$)\\b\\d+$", "a$12", false)]
    [TestCase("(?<=(\\d+)(\\d+))$", "1053", true)]
    [TestCase("^(\\w+) \\1$", "ab ab", true)]
    [TestCase("^(\\w+) \\1$", "ab ac", false)]
    [TestCase("^(?<n>a|b)\\k<n>$", "bb", true)]
    [TestCase("^\\k<n>(?<n>a)$", "a", true)]
    [TestCase("^(?:(a)|b)*\\1$", "ab", true)]
    [TestCase("^(z)((a+)?(b+)?(c))*$", "zaacbbbcac", true)]
    [TestCase("[\\w-.]+@", "a.b-c@", true)]
    [TestCase("^a{,2}$", "a{,2}", true)]
    [TestCase("^\\-\\@$", "-@", true)]
    [TestCase("^x{1,20}y{0,5}$", "xxxyy", true)]
    [TestCase("^[a-z]+[0-9]*$", "abc12", true)]
    [TestCase("^[a-z]+[a-m]$", "zzza", true)]
    [TestCase("^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", "a-b.example.com", true)]
    [TestCase("^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", "a-.example.com", false)]
    public void IsMatch_Pattern_FollowsEcma262(string pattern, string text, bool expected) =>
        Assert.That(IsMatch(pattern, text), Is.EqualTo(expected));

    [TestCase("(")]
    [TestCase(")")]
    [TestCase("[")]
    [TestCase("*a")]
    [TestCase("a**")]
    [TestCase("{1}")]
    [TestCase("a{2,1}")]
    [TestCase("[b-a]")]
    [TestCase("\\")]
    [TestCase("\\a")]
    [TestCase("\\Z")]
    [TestCase("\\x4")]
    [TestCase("\\u12")]
    [TestCase("\\u{110000}")]
    [TestCase("\\p{Nope}")]
    [TestCase("\\p{Script=Greek}")]
    [TestCase("\\pL")]
    [TestCase("(?i)a")]
    [TestCase("(?P<n>a)")]
    [TestCase("(?<n>a)(?<n>b)")]
    [TestCase("(?<1>a)")]
    [TestCase("\\k<n>")]
    [TestCase("\\2(a)")]
    [TestCase("(?>a)")]
    [TestCase("(?#c)")]
    [TestCase("(?=a)*")]
    [TestCase("\\08")]
    public void Compile_NotAPattern_SaysWhy(string pattern)
    {
        Assert.That(EcmaPattern.Compile(Encoding.UTF8.GetBytes(pattern), out string? error), Is.Null);
        Assert.That(error, Is.Not.Empty);
    }

    [Test]
    public void IsMatch_LookAroundOnLongText_IsTheLimit()
    {
        EcmaPattern pattern = EcmaPattern.Compile("^(?=a)"u8, out _)!;
        int steps = 200_000;
        Assert.That(pattern.IsMatch(Encoding.UTF8.GetBytes(new string('a', 4_097)), ref steps), Is.False);
        Assert.That(steps, Is.Negative);
    }

    /// <summary>Random patterns over a small alphabet: each way of matching agrees with .NET's backtracking, where that means the same.</summary>
    [Test]
    public void IsMatch_RandomPatterns_AgreeWithTheReference()
    {
        var random = new Random(16_180);
        int matches = 0;
        int unanswered = 0;
        for (int i = 0; i < SchemaFuzz.Count(20_000) / 5; i++)
        {
            string source = Pattern(random, 3);
            EcmaPattern? pattern = EcmaPattern.Compile(Encoding.UTF8.GetBytes(source), out string? error);
            Assert.That(error, Is.Null, source);
            var reference = new Regex(source.Replace("$", "(?!\\n)$", StringComparison.Ordinal), RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
            for (int j = 0; j < 5; j++)
            {
                string text = Text(random);
                int steps = 1_000_000;
                bool found = pattern!.IsMatch(Encoding.UTF8.GetBytes(text), ref steps);
                if (Reference(reference, text) is { } expected)
                {
                    Assert.That(found, Is.EqualTo(expected), $"{source} on '{text}'");
                    matches += found ? 1 : 0;
                }
                else
                {
                    unanswered++;
                }
            }
        }

        Assert.That(matches, Is.GreaterThan(SchemaFuzz.Count(20_000) / 20));
        Assert.That(unanswered, Is.LessThanOrEqualTo(Math.Max(2, SchemaFuzz.Count(20_000) / 10_000)));
    }

    /// <summary>What .NET says; null where its backtracking runs out of room or time, as it does about once in 100,000 of these.</summary>
    private static bool? Reference(Regex reference, string text)
    {
        try
        {
            return reference.IsMatch(text);
        }
        catch (Exception exhausted) when (exhausted is OverflowException or RegexMatchTimeoutException)
        {
            return null;
        }
    }

    private static string Text(Random random) => string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => "abcab-é"[random.Next(7)]));

    private static string Pattern(Random random, int depth) => random.Next(depth > 0 ? 12 : 5) switch
    {
        0 or 1 => "abc"[random.Next(3)].ToString(),
        2 => new[] { "[ab]", "[^a]", "[a-c-]", "[é]" }[random.Next(4)],
        3 => ".",
        4 => "-",
        5 or 6 or 7 => Pattern(random, depth - 1) + Pattern(random, depth - 1),
        8 => "(?:" + Pattern(random, depth - 1) + "|" + Pattern(random, depth - 1) + ")",
        9 => "(?:" + Pattern(random, depth - 1) + ")" + new[] { "*", "+", "?", "{2}", "{1,3}", "{0,2}", "*?", "+?" }[random.Next(8)],
        10 => "^" + Pattern(random, depth - 1),
        _ => Pattern(random, depth - 1) + "$",
    };
}
