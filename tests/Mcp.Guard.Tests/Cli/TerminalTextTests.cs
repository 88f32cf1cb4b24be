using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Tests.Cli;

/// <summary>No text of a server or a file steers a terminal, hides anything, or passes for a line of the guard's.</summary>
[TestFixture]
internal sealed class TerminalTextTests
{
    [TestCase("plain text, [bold] :warning: {0}", "plain text, [bold] :warning: {0}")]
    [TestCase("\u001b[2J\u001b]0;title\u0007", "\\u{1b}[2J\\u{1b}]0;title\\u{7}")]
    [TestCase("one\nmcp-guard: all good\r\n", "one\\u{a}mcp-guard: all good\\u{d}\\u{a}")]
    [TestCase("a\tb\0", "a\\u{9}b\\u{0}")]
    [TestCase("\u009b31mred", "\\u{9b}31mred")]
    [TestCase("user\u202egnp.exe", "user\\u{202e}gnp.exe")]
    [TestCase("zero\u200bwidth\u2060\ufeff", "zero\\u{200b}width\\u{2060}\\u{feff}")]
    [TestCase("line\u2028end\u2029", "line\\u{2028}end\\u{2029}")]
    [TestCase("tag\U000E0041", "tag\\u{e0041}")]
    [TestCase("blank\u3164\u2800", "blank\\u{3164}\\u{2800}")]
    [TestCase("caf\u00e9 \u6587\u5b57", "caf\u00e9 \u6587\u5b57")]
    public void Clean_HostileText_IsWrittenOut(string text, string expected) => Assert.That(TerminalText.Clean(text), Is.EqualTo(expected));

    [Test]
    public void Clean_LoneSurrogate_IsReplaced() => Assert.That(TerminalText.Clean("a\ud800b"), Is.EqualTo("a\ufffdb"));

    [Test]
    public void Clean_PilesOfMarks_KeepTwo() =>
        Assert.That(TerminalText.Clean("e" + new string('\u0301', 40)), Does.StartWith("e\u0301\u0301\\u{301}"));

    [Test]
    public void Clean_LongText_IsCut() => Assert.That(TerminalText.Clean(new string('x', 1_000_000)), Has.Length.LessThan(TerminalText.MaxLength + 20).And.EndsWith("(cut)"));

    [Test]
    public void FromServer_CredentialInIt_IsTakenOut() =>
        Assert.That(TerminalText.FromServer("use ghp_abcdefghijklmnopqrstuvwxyz0123456789 for that"), Does.Not.Contain("ghp_abcdefghij"));

    [Test]
    public void Clean_AnyText_HoldsNoControlOrFormatCharacter() => Prop.ForAll<string>(text =>
        TerminalText.Clean(text ?? string.Empty).EnumerateRunes().All(rune => System.Text.Rune.GetUnicodeCategory(rune)
            is not (System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format
                or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator))).Check(Properties.Config());
}
