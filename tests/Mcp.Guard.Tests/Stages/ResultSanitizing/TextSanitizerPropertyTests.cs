using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>What holds for every text: contract T5, and that what a person sees stays.</summary>
[TestFixture]
internal sealed class TextSanitizerPropertyTests
{
    private static readonly TextSurface[] Surfaces = [TextSurface.Description, TextSurface.Name, TextSurface.Result, TextSurface.Resource];

    [Test]
    public void Sanitize_HostilePieces_IsIdempotentAndBounded() =>
        Prop.ForAll(HostileText.OfEverything, text => IsIdempotentAndBounded(TextSanitizer.Default, text)).Check(Properties.Config());

    [Test]
    public void Sanitize_MarkupPieces_IsIdempotentAndBounded() =>
        Prop.ForAll(HostileText.OfMarkup, text => IsIdempotentAndBounded(TextSanitizer.Default, text)).Check(Properties.Config(8_000));

    [Test]
    public void Sanitize_MarkupPiecesUnderRemoval_IsIdempotentAndBounded()
    {
        var removing = new TextSanitizer(new RemoteReferencePolicy(RemoteReferenceAction.Remove, RemoteReferenceAction.Defang));
        Prop.ForAll(HostileText.OfMarkup, text => IsIdempotentAndBounded(removing, text)).Check(Properties.Config());
    }

    [Test]
    public void Sanitize_RandomUnits_NeverThrowsAndIsIdempotent() =>
        Prop.ForAll(HostileText.OfUnits, text => IsIdempotentAndBounded(TextSanitizer.Default, text)).Check(Properties.Config());

    [Test]
    public void Sanitize_TextWithoutMarkup_KeepsWhatIsSeen() =>
        Prop.ForAll(HostileText.OfCharacters, text => VisibleReference.Of(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text) == VisibleReference.Of(text))
            .Check(Properties.Config());

    [Test]
    public void Sanitize_AnyText_LeavesNoControlOrBidiOverride() =>
        Prop.ForAll(HostileText.OfEverything, text => !TextSanitizer.Default.Sanitize(text, TextSurface.Result).Text.Any(VisibleReference.NeverAllowed))
            .Check(Properties.Config());

    [Test]
    public void Sanitize_ChangedText_IsFlagged() =>
        Prop.ForAll(HostileText.OfEverything, text =>
        {
            SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
            return ReferenceEquals(result.Text, text) || (result.Text != text && result.Flags != ContentFlags.None);
        }).Check(Properties.Config());

    [Test]
    public void Sanitize_SequencesBetweenWords_LeavesTheWords()
    {
        string[] sequences = ["\u001b[31m", "\u001b[38;5;231m", "\u001b]0;title\a", "\u001b]8;;https://a.example\u001b\\", "\u001bP1$q\u001b\\", "\u009b2J", "\u009dtitle\u009c", "\u001b(0", "\u001bc", "\u001b_x\u001b\\"];
        Arbitrary<string[]> parts = Gen.ArrayOf(Gen.Elements([.. sequences, "word ", "another\n", "é", "中"])).ToArbitrary();
        Prop.ForAll(parts, list =>
        {
            string expected = string.Concat(list.Where(part => !sequences.Contains(part)));
            return TextSanitizer.Default.Sanitize(string.Concat(list), TextSurface.Result).Text == expected;
        }).Check(Properties.Config());
    }

    private static bool IsIdempotentAndBounded(TextSanitizer sanitizer, string text)
    {
        foreach (TextSurface surface in Surfaces)
        {
            string once = sanitizer.Sanitize(text, surface).Text;
            string twice = sanitizer.Sanitize(once, surface).Text;
            if (!ReferenceEquals(once, twice) || once.Length > 4 * Math.Max(1, text.Length))
            {
                TestContext.Out.WriteLine($"{surface}: {Escaped(text)} -> {Escaped(once)} -> {Escaped(twice)}");
                return false;
            }
        }

        return true;
    }

    private static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            escaped.Append(c is >= ' ' and <= '~' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"));
        }

        return escaped.ToString();
    }
}
