using System.Globalization;
using System.Text;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>
/// Which characters stay and which go, for each code point of the planes in use: alone between Latin letters, and as the neighbour of each invisible character that means something beside some.
/// The ranges are those of the Unicode Character Database (DerivedCoreProperties, Blocks, HangulSyllableType) and not read from the sanitiser's own tables.
/// </summary>
[TestFixture]
internal sealed class CharacterRuleTests
{
    private const string Control = "\u0001";

    /// <summary>Default_Ignorable_Code_Point=Yes.</summary>
    private static readonly (int From, int To)[] Ignorable =
    [
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    ];

    private static readonly (int From, int To)[] SoutheastAsian =
        [(0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0x116D0, 0x116FF)];

    private static readonly (int From, int To)[] Arabic =
        [(0x600, 0x6FF), (0x750, 0x77F), (0x860, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF), (0x10E60, 0x10EFF), (0x1EC70, 0x1EEFF)];

    private static readonly (int From, int To)[] Leading = [(0x1100, 0x115E), (0xA960, 0xA97C)];
    private static readonly (int From, int To)[] Vowels = [(0x1161, 0x11A7), (0xD7B0, 0xD7C6)];
    private static readonly (int From, int To)[] Trailing = [(0x11A8, 0x11FF), (0xD7CB, 0xD7FB)];

    [Test]
    public void Sanitize_EveryCodePointBetweenLetters_StaysUnlessNobodySeesIt()
    {
        var wrong = new List<string>();
        foreach (int point in CodePointsWithoutSurrogates().Where(static point => !Introduces(point)))
        {
            string text = "a" + char.ConvertFromUtf32(point) + "b";
            (string expected, ContentFlags flags) = point switch
            {
                '\t' or '\n' or 0xAD => (text, ContentFlags.None),
                '\r' => ("a\nb", ContentFlags.Terminal),
                0x85 or 0x2028 or 0x2029 => ("a\nb", ContentFlags.Control),
                < ' ' or (>= 0x7F and <= 0x9F) => ("ab", ContentFlags.Control),
                0x200E or 0x200F or 0x61C or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => ("ab", ContentFlags.Bidi),
                _ when IsUnseen(point) => ("ab", ContentFlags.HiddenUnicode),
                _ => (text, ContentFlags.None),
            };
            Note(wrong, text, expected, flags);
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Sanitize_ZeroWidthSpaceBesideEveryCodePoint_StaysBesideScriptsWithoutBlanks() =>
        AssertNeighbours("\u200b", "b", static point => In(SoutheastAsian, point), bothSides: true);

    [Test]
    public void Sanitize_SoftHyphenBesideEveryCodePoint_StaysBetweenLetters() =>
        AssertNeighbours("\u00ad", "b", static point => Rune.IsLetter(new Rune(point)), bothSides: true);

    [Test]
    public void Sanitize_BlankBrailleBesideEveryCodePoint_StaysBesidePatternsWithDots() =>
        AssertNeighbours("\u2800", "b", static point => point is >= 0x2801 and <= 0x28FF, bothSides: true);

    [TestCase("\u180b")]
    [TestCase("\u180c")]
    [TestCase("\u180d")]
    [TestCase("\u180e")]
    [TestCase("\u180f")]
    public void Sanitize_MongolianSelectorBesideEveryCodePoint_StaysBesideMongolianLetters(string selector) =>
        AssertNeighbours(selector, "b", static point => point is >= 0x1800 and <= 0x18AF && IsLetterOrMark(point), bothSides: true);

    [Test]
    public void Sanitize_VowelFillerAfterEveryCodePoint_StaysAfterLeadingConsonants() =>
        AssertNeighbours("\u1160", "b", static point => In(Leading, point), bothSides: false);

    [Test]
    public void Sanitize_LeadingFillerBeforeEveryCodePoint_StaysBeforeVowels() => AssertNeighbour("b\u115f", string.Empty, static point => In(Vowels, point));

    [Test]
    public void Sanitize_BothFillersBeforeEveryCodePoint_StayBeforeTrailingConsonants() => AssertNeighbour("b\u115f\u1160", string.Empty, static point => In(Trailing, point));

    [Test]
    public void Sanitize_JoinerAtTheEndOfAnArabicWord_StaysBeforeWhatEndsWords() =>
        AssertNeighbour("\u0647\u200d", string.Empty, static point => point is '\t' or '\n' || Category(point) is UnicodeCategory.SpaceSeparator or UnicodeCategory.ConnectorPunctuation
            or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation or UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol
            or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol, static point => In(Arabic, point));

    [TestCase("\u05e2\u05d1\u05e8\u05d9\u05ea \u200e(1)")]
    [TestCase("\u0627\u200f 2")]
    [TestCase("\u0627\u061c 3")]
    [TestCase("\ud83c\udff4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F")]
    [TestCase("\ud83c\udff4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F")]
    [TestCase("\ud83c\udff4\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F")]
    [TestCase("\ud83d\udc69\u200d\ud83d\udcbb")]
    [TestCase("\ud83d\udc69\ud83c\udffb\u200d\ud83d\udcbb")]
    [TestCase("\ud83d\udc69\ud83c\udfff\u200d\ud83d\udcbb")]
    [TestCase("\u2764\ufe0f\u200d\ud83d\udd25")]
    [TestCase("\u0915\u094d\u200d\u0937")]
    [TestCase("\u09b0\u200d\u09cd\u09af")]
    [TestCase("\u0d28\u0d4d\u200d")]
    [TestCase("\u0d28\u200d.")]
    [TestCase("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")]
    [TestCase("\u0645\u0650\u200c\u064e\u062e")]
    [TestCase("\ufeffa")]
    [TestCase("\u1100\u1160\u11a8")]
    [TestCase("\u115f\u1160\u11a8")]
    [TestCase("\u115f\u1161")]
    [TestCase("\u1820\u180b\u1821")]
    [TestCase("\u1820\u180e\u1820")]
    [TestCase("\u4e0d\ufe00")]
    [TestCase("\u8fbb\U000E0100")]
    [TestCase("a\r\nb\tc")]
    public void Sanitize_CharacterThatMeansSomething_StaysAlsoWhereAnotherGoes(string text) => Assert.Multiple(() =>
    {
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text, Is.SameAs(text));
        Assert.That(TextSanitizer.Default.Sanitize(text + "." + Control, TextSurface.Result).Text, Is.EqualTo(text + "."));
    });

    [TestCase("\u0915\u200d\u0061", "\u0915a")]
    [TestCase("\u0628\u200d\u0915", "\u0628\u0915")]
    [TestCase("a\u200c\u0628", "a\u0628")]
    [TestCase("\u0627\u200c\u05d0", "\u0627\u05d0")]
    [TestCase("\u200d\ud83d\udc69", "\ud83d\udc69")]
    [TestCase("a\u200d\ud83d\udc69", "a\ud83d\udc69")]
    [TestCase("a\ufe0f\u200d\ud83d\udc69", "a\ud83d\udc69")]
    [TestCase("\ud83d\udc69\u200c\ud83d\udcbb", "\ud83d\udc69\ud83d\udcbb")]
    [TestCase("\u1100\u1160b\u1160", "\u1100\u1160b")]
    [TestCase("\u0e01\u200b\u200b\u0e02", "\u0e01\u200b\u0e02")]
    [TestCase("b\u200b\u200b\u0e02", "b\u200b\u0e02")]
    [TestCase("b\u180b\u180c\u1820", "b\u180c\u1820")]
    [TestCase("a\ufeff", "a")]
    [TestCase("\u4e08\ufe0f", "\u4e08")]
    [TestCase("\u8fbb\U000E01EF", "\u8fbb")]
    public void Sanitize_CharacterOutOfItsPlace_Goes(string text, string expected) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text, Is.EqualTo(expected));

    /// <summary>UAX 15 stream-safe text has at most 30 marks behind a letter; 32 are looked through.</summary>
    [TestCase(32, true)]
    [TestCase(33, false)]
    public void Sanitize_JoinerBehindManyMarks_StaysAsFarAsMarksAreLookedThrough(int marks, bool stays)
    {
        string many = new('\u0301', marks);
        foreach ((string before, string after) in ((string, string)[])[("\u0628" + many, "\u0628"), ("\u0628", many + "\u0628")])
        {
            string text = before + "\u200d" + after;
            Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text, Is.EqualTo(stays ? text : before + after));
        }
    }

    /// <summary>A flag is set once or many times.</summary>
    [TestCase("a\u001b[31mb\u001b[0mc", ContentFlags.Terminal)]
    [TestCase("a\u009b31mb\u009b0mc", ContentFlags.Terminal)]
    [TestCase("a\rb\rc", ContentFlags.Terminal)]
    [TestCase("a\u0001b\u0001c", ContentFlags.Control)]
    [TestCase("a\u0085b\u2028c", ContentFlags.Control)]
    [TestCase("a\u200bb\u200bc", ContentFlags.HiddenUnicode)]
    [TestCase("a\u202eb\u202cc", ContentFlags.Bidi)]
    [TestCase("a\u202e\u200eb", ContentFlags.Bidi)]
    public void Sanitize_TheSameFaultTwice_IsFlagged(string text, ContentFlags flags) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags, Is.EqualTo(flags));

    /// <summary>ECMA-48 section 8.3: DCS, SOS, OSC, PM and APC in eight bits; what nothing ends is a control of its own.</summary>
    [TestCase('\u0090')]
    [TestCase('\u0098')]
    [TestCase('\u009d')]
    [TestCase('\u009e')]
    [TestCase('\u009f')]
    public void Sanitize_EightBitString_GoesToItsEndOrAlone(char introducer)
    {
        SanitizerResult ended = TextSanitizer.Default.Sanitize($"a{introducer}0;x\u009cb", TextSurface.Result);
        SanitizerResult open = TextSanitizer.Default.Sanitize($"a{introducer}0;xb", TextSurface.Result);
        Assert.Multiple(() =>
        {
            Assert.That((ended.Text, ended.Flags), Is.EqualTo(("ab", ContentFlags.Terminal)));
            Assert.That((open.Text, open.Flags), Is.EqualTo(("a0;xb", ContentFlags.Control)));
        });
    }

    /// <summary>What is looked at stands anywhere: behind runs of ASCII of every length, as the scan changes its pace with them.</summary>
    [Test]
    public void Sanitize_CharacterBehindAsciiOfEveryLength_Goes()
    {
        for (int length = 0; length < 150; length++)
        {
            string ascii = new('x', length);
            foreach (string before in (string[])[ascii, "\u4e2d" + ascii, ascii + "\u4e2d\ud83d\udc69"])
            {
                foreach (string unseen in (string[])["\u200b", Control, "\U000E0041", "\u007f"])
                {
                    Assert.That(TextSanitizer.Default.Sanitize(before + unseen + ascii, TextSurface.Result).Text, Is.EqualTo(before + ascii), $"{length}");
                }
            }
        }
    }

    private static void AssertNeighbours(string unseen, string other, Func<int, bool> stays, bool bothSides)
    {
        AssertNeighbour(string.Empty, unseen + other, stays);
        if (bothSides)
        {
            AssertNeighbour(other + unseen, string.Empty, stays);
        }
    }

    /// <summary>For each code point that stays by itself: whether what stands beside it stays too, and nothing else changes.</summary>
    private static void AssertNeighbour(string before, string after, Func<int, bool> stays, Func<int, bool>? leaveOut = null)
    {
        var wrong = new List<string>();
        foreach (int point in CodePointsWithoutSurrogates().Where(point => point is not '\r' && !Introduces(point) && !(point < ' ' && point is not ('\t' or '\n')) && point is not (>= 0x7F and <= 0x9F or 0x2028 or 0x2029)
            && !IsUnseen(point) && leaveOut?.Invoke(point) != true))
        {
            string text = before + char.ConvertFromUtf32(point) + after;
            string expected = stays(point) ? text : Visible(before) + char.ConvertFromUtf32(point) + Visible(after);
            Note(wrong, text, expected, stays(point) ? ContentFlags.None : ContentFlags.HiddenUnicode);
        }

        Assert.That(wrong, Is.Empty);
    }

    private static string Visible(string text) => string.Concat(text.EnumerateRunes().Where(static rune => !IsUnseen(rune.Value)));

    private static void Note(List<string> wrong, string text, string expected, ContentFlags flags)
    {
        SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        if (wrong.Count < 20 && (!string.Equals(result.Text, expected, StringComparison.Ordinal) || result.Flags != flags))
        {
            wrong.Add($"{Points(text)} gave {Points(result.Text)} {result.Flags}");
        }
    }

    private static string Points(string text) => string.Join(' ', text.EnumerateRunes().Select(static rune => rune.Value.ToString("X4", CultureInfo.InvariantCulture)));

    /// <summary>All of the two planes of scripts, of the tags and of the ends of planes; of ideographs, unassigned and private planes every 61st.</summary>
    private static IEnumerable<int> CodePointsWithoutSurrogates() => Enumerable.Range(0, 0x110000).Where(static point =>
        point is < 0xD800 or (>= 0xE000 and < 0x20000) or (>= 0xE0000 and < 0xE1100) || (point >= 0x20000 && ((point & 0xFFFF) >= 0xFFF0 || point % 61 == 0)));

    /// <summary>Controls that take in what follows them.</summary>
    private static bool Introduces(int point) => point is 0x1B or 0x90 or 0x98 or 0x9B or 0x9D or 0x9E or 0x9F;

    private static bool IsUnseen(int point) =>
        In(Ignorable, point) || point is 0x2800 or (>= 0xFFF9 and <= 0xFFFB) or (>= 0xFDD0 and <= 0xFDEF) || (point & 0xFFFE) == 0xFFFE;

    private static bool IsLetterOrMark(int point) => Category(point) is <= UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static UnicodeCategory Category(int point) => CharUnicodeInfo.GetUnicodeCategory(point);

    private static bool In((int From, int To)[] ranges, int point) => Array.Exists(ranges, range => point >= range.From && point <= range.To);
}
