using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class GlobTests
{
    [TestCase("read_*", "read_file", true)]
    [TestCase("read_*", "read_", true)]
    [TestCase("read_*", "read", false)]
    [TestCase("read_*", "READ_file", false)]
    [TestCase("*", "", true)]
    [TestCase("a", "a", true)]
    [TestCase("a", "ab", false)]
    [TestCase("ab*ba", "aba", false)]
    [TestCase("ab*ba", "abba", true)]
    [TestCase("*a*b*", "xxbxaxx", false)]
    [TestCase("*a*b*", "xxaxbxx", true)]
    [TestCase("a*b*a", "aba", true)]
    [TestCase("a.c", "abc", false)]
    [TestCase("ß*", "ss", false)]
    [TestCase("e\u0301", "é", false)]
    public void IsMatch_Pattern_MatchesOrdinally(string pattern, string text, bool expected) => Assert.That(new Glob(pattern).IsMatch(text), Is.EqualTo(expected));

    [Test]
    public void IsMatch_RandomPattern_IsWhatASlowReferenceSays() =>
        Prop.ForAll(Pairs().ToArbitrary(), pair => new Glob(pair.Pattern).IsMatch(pair.Text) == SlowMatch(pair.Pattern, pair.Text)).Check(Properties.Config(5_000));

    [Test]
    public void Match_RandomPatterns_FindsExactlyThoseThatMatch() =>
        Prop.ForAll(Gen.ArrayOf(Words("ab*")).Zip(Words("ab")).ToArbitrary(), pair =>
        {
            (string[] patterns, string text) = pair;
            var found = new List<(int Value, bool IsGlob)>();
            new GlobIndex(patterns.Select((pattern, i) => (new Glob(pattern), i))).Match(text, found);
            IEnumerable<(int, bool)> expected = patterns.Select((pattern, i) => (pattern, i)).Where(entry => SlowMatch(entry.pattern, text))
                .Select(entry => (entry.i, entry.pattern.Contains('*', StringComparison.Ordinal)));
            return found.Order().SequenceEqual(expected.Order());
        }).Check(Properties.Config());

    [Test]
    public void IsMatch_HostilePatternAndText_IsLinearEnoughToEnd()
    {
        var glob = new Glob(string.Concat(Enumerable.Repeat("a*", 16)) + "b");
        Assert.That(glob.IsMatch(new string('a', 1_000_000)), Is.False);
    }

    /// <summary>The textbook definition, by recursion.</summary>
    internal static bool SlowMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        if (pattern.IsEmpty)
        {
            return text.IsEmpty;
        }

        if (pattern[0] != '*')
        {
            return !text.IsEmpty && text[0] == pattern[0] && SlowMatch(pattern[1..], text[1..]);
        }

        for (int skip = 0; skip <= text.Length; skip++)
        {
            if (SlowMatch(pattern[1..], text[skip..]))
            {
                return true;
            }
        }

        return false;
    }

    private static Gen<(string Pattern, string Text)> Pairs() => from pattern in Words("aab*") from text in Words("aab") select (pattern, text);

    private static Gen<string> Words(string alphabet) =>
        from length in Gen.Choose(0, 9)
        from letters in Gen.ArrayOf(Gen.Elements(alphabet.ToCharArray()), length)
        select new string(letters);
}
