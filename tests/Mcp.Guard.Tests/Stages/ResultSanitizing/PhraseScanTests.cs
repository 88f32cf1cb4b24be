using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>The two scans for phrases against a search of each place for each phrase.</summary>
[TestFixture]
internal sealed class PhraseScanTests
{
    private static readonly string[] Phrases = ["key", "keyword", "pass", "://", "<|x", "password", "a-b_c", "Bearer ", "zzz"];
    private static readonly string[] Words = ["key", "keyword", "pass", "dan", "ignore", "ignorant", "role\"", "inst]", "curl "];

    /// <summary>Pieces of the phrases, characters beside them in the code, and fillers that move them across the borders of blocks.</summary>
    private static readonly string[] Pieces =
    [
        .. Phrases, .. Words, "k", "ke", "e", "y", "p", "K", "KEY", "Ig", "nore", " ", ".", "\"", "]", "[", "_", "-", "1", "é", "中", "\u0131", "\u212a", "\uff4b", "\0", "\n", "@", "`", "{", "¡",
        "seventeen letters", "0123456789abcdef0123456789abcdef", "   ",
    ];

    private static Arbitrary<string> Texts => Gen.ListOf(Gen.Elements(Pieces)).Select(list => string.Concat(list)).ToArbitrary();

    [TestCase(true)]
    [TestCase(false)]
    public void PhraseScan_AnyText_FindsWhatASearchAtEachPlaceFinds(bool ignoreCase)
    {
        var scan = new PhraseScan(Phrases, ignoreCase);
        StringComparison comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        Prop.ForAll(Texts, text =>
        {
            var expected = new List<int>();
            for (int at = 0; at < text.Length; at++)
            {
                if (Phrases.Any(phrase => text.AsSpan(at).StartsWith(phrase, comparison)))
                {
                    expected.Add(at);
                }
            }

            var found = new List<int>();
            for (int at = scan.Next(text, 0); at >= 0; at = scan.Next(text, at + 1))
            {
                found.Add(at);
            }

            return found.SequenceEqual(expected);
        }).Check(Properties.Config());
    }

    [Test]
    public void WordScan_AnyText_FindsEveryWordThatStartsLikeAPhrase()
    {
        var scan = new WordScan(Words);
        Prop.ForAll(Texts, text =>
        {
            var expected = new List<int>();
            for (int at = 0; at < text.Length; at++)
            {
                if ((at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1])) && Words.Any(word => text.AsSpan(at).StartsWith(word, StringComparison.OrdinalIgnoreCase)))
                {
                    expected.Add(at);
                }
            }

            // It may name a place where only the first four characters agree; it must name each where a whole phrase stands.
            var found = new List<int>();
            for (int at = scan.Next(text, 0, out int group); at >= 0; at = scan.Next(text, at + 1, out group))
            {
                string rest = text[at..];
                if (scan.Groups[group].Any(word => rest.StartsWith(word, StringComparison.OrdinalIgnoreCase)))
                {
                    found.Add(at);
                }
            }

            return found.SequenceEqual(expected);
        }).Check(Properties.Config());
    }

    [Test]
    public void WordScan_PhraseAtEachPlaceOfALongText_IsFound([Range(0, 100)] int place)
    {
        var scan = new WordScan(Words);
        foreach (string word in Words)
        {
            foreach (string after in (string[])["", " ", "中", new string('.', 70)])
            {
                string text = new string(' ', place) + word + after;
                Assert.That(scan.Next(text, 0, out _), Is.EqualTo(place), $"'{word}' at {place}, then '{after}'");
            }
        }
    }
}
