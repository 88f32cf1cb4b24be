using System.Text;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class DisplayCharacterTests
{
    [TestCase(0x1F, false)]
    [TestCase(0x20, true)]
    [TestCase(0x7E, true)]
    [TestCase(0x7F, false)]
    [TestCase(0x85, false)]
    [TestCase(0xA0, false)]
    [TestCase(0xAD, false)]
    [TestCase(0xE9, true)]
    [TestCase(0x034F, false)]
    [TestCase(0x0301, true)]
    [TestCase(0x115F, false)]
    [TestCase(0x1160, false)]
    [TestCase(0x17B4, false)]
    [TestCase(0x17B5, false)]
    [TestCase(0x180A, true)]
    [TestCase(0x180B, false)]
    [TestCase(0x180F, false)]
    [TestCase(0x200B, false)]
    [TestCase(0x2028, false)]
    [TestCase(0x2029, false)]
    [TestCase(0x202E, false)]
    [TestCase(0x2800, false)]
    [TestCase(0x2801, true)]
    [TestCase(0x3000, false)]
    [TestCase(0x3164, false)]
    [TestCase(0xE000, false)]
    [TestCase(0xFDFF, true)]
    [TestCase(0xFE00, false)]
    [TestCase(0xFE0F, false)]
    [TestCase(0xFE10, true)]
    [TestCase(0xFFA0, false)]
    [TestCase(0x1F600, true)]
    [TestCase(0xE0000, false)]
    [TestCase(0xE0041, false)]
    [TestCase(0xE0100, false)]
    [TestCase(0xE0FFF, false)]
    [TestCase(0x10FFFD, false)]
    public void IsPlain_Character_IsDrawnAndStaysInItsPlace(int value, bool plain) => Assert.That(DisplayCharacter.IsPlain(new Rune(value)), Is.EqualTo(plain), $"U+{value:X4}");

    [TestCase(0x0301, true)]
    [TestCase(0x20DD, true)]
    [TestCase(0x0903, true)]
    [TestCase('a', false)]
    [TestCase('^', false)]
    [TestCase(0xE9, false)]
    public void IsMark_Character_IsDrawnOverItsNeighbour(int value, bool mark) => Assert.That(DisplayCharacter.IsMark(new Rune(value)), Is.EqualTo(mark));

    [TestCase(' ', true, "spaces")]
    [TestCase('\t', true, "tabs")]
    [TestCase('\n', true, "line feeds")]
    [TestCase('\r', true, "carriage returns")]
    [TestCase('\u00A0', true, "no-break spaces")]
    [TestCase('\u3164', true, "U+3164")]
    [TestCase('\u2003', true, "U+2003")]
    [TestCase('a', false, "U+0061")]
    public void Blank_Character_HasAName(char c, bool blank, string name)
    {
        Assert.That(DisplayCharacter.IsBlank(c), Is.EqualTo(blank));
        Assert.That(DisplayCharacter.BlankName(c), Is.EqualTo(name));
    }

    [TestCase('\t', "\\t")]
    [TestCase('\n', "\\n")]
    [TestCase('\r', "\\r")]
    [TestCase(0x7, "\\u0007")]
    [TestCase(0xD800, "\\uD800")]
    [TestCase(0xFFFF, "\\uFFFF")]
    [TestCase(0x10000, "\\u{10000}")]
    [TestCase(0xE0041, "\\u{E0041}")]
    public void AppendEscaped_Character_IsAsJsonWouldEscapeIt(int value, string escaped)
    {
        var text = new StringBuilder();
        DisplayCharacter.AppendEscaped(text, value);
        Assert.That(text.ToString(), Is.EqualTo(escaped));
    }
}
