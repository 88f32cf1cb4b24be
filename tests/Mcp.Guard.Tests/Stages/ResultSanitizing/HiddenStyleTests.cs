using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Each declaration that hides, and its nearest neighbour that does not; gaps that push text out of sight.</summary>
[TestFixture]
internal sealed class HiddenStyleTests
{
    [TestCase("display:none", "display:block")]
    [TestCase("visibility:hidden", "visibility:visible")]
    [TestCase("visibility:collapse", "visibility:inherit")]
    [TestCase("content-visibility:hidden", "content-visibility:auto")]
    [TestCase("color:transparent", "color:red")]
    [TestCase("clip:rect(0,0,0,0)", "clip:rect(1px,2px,3px,4px)")]
    [TestCase("clip-path:inset(100%)", "clip-path:inset(10%)")]
    [TestCase("clip-path:inset(50%)", "clip-path:inset(5%)")]
    [TestCase("clip-path:circle(0)", "clip-path:circle(50%)")]
    [TestCase("font-size:0", "font-size:12px")]
    [TestCase("font:0/0 a", "font:12px a")]
    [TestCase("opacity:0", "opacity:1")]
    [TestCase("filter:opacity(0)", "filter:opacity(0.5)")]
    [TestCase("max-height:0", "max-height:05px")]
    [TestCase("max-width:0px", "max-width:10px")]
    [TestCase("height:0", "height:0.5em")]
    [TestCase("width:00.0px", "width:0.01em")]
    [TestCase("transform:scale(0)", "transform:scale(0.5)")]
    [TestCase("text-indent:-9999px", "text-indent:-8px")]
    [TestCase("left:-9999px", "left:9999px")]
    [TestCase("top:-9999px", "top:-8px")]
    [TestCase("right:-9999px", "right:-8px")]
    [TestCase("left:-500px", "left:-499px")]
    [TestCase("bottom:-500px", "bottom:-499px")]
    [TestCase("margin:-100em", "margin:-99em")]
    [TestCase("margin-left:-100rem", "margin-left:-99rem")]
    [TestCase("margin-top:-100vh", "margin-top:-99vh")]
    [TestCase("margin-right:-100vw", "margin-right:-99vw")]
    [TestCase("margin:-100%", "margin:-99%")]
    [TestCase("font-size:0.1em", "font-size:0.11em")]
    [TestCase("font-size:.1rem", "font-size:1rem")]
    [TestCase("font-size:10%", "font-size:11%")]
    [TestCase("font-size:1px", "font-size:1.5px")]
    [TestCase("font-size:1pt", "font-size:2pt")]
    [TestCase("opacity:0.05", "opacity:0.06")]
    [TestCase("opacity:5%", "opacity:6%")]
    [TestCase("transform:translateX(-500px)", "transform:translateX(-499px)")]
    [TestCase("transform:translate(-600px,0)", "transform:rotate(-600deg)")]
    [TestCase("color:#123;background:#112233", "color:#123;background:#112234")]
    [TestCase("background:white;color:#fff", "background:white;color:#ffe")]
    [TestCase("color:black;background-color:#000", "color:black;background-color:#001")]
    [TestCase("color:#fff !important;background:#ffffff!important", "color:red;background:red1")]
    [TestCase("color:rgba(0,0,0,0.05)", "color:rgba(0,0,0,0.06)")]
    [TestCase("color:hsla(0,0%,0%,0)", "color:hsla(0,0%,0%,1)")]
    [TestCase("color:rgb(0 0 0 / 0)", "color:rgb(0,0,0)")]
    [TestCase("color:#0000", "color:#0001")]
    [TestCase("color:#11223300", "color:#11223301")]
    [TestCase("DISPLAY:None", "--display:none")]
    [TestCase("dis/* x */play:none", "display:/*none*/block")]
    [TestCase("display&colon;none", "display&comma;none")]
    [TestCase("\"display:none", "x display:none")]
    [TestCase("a:b;display:none", "/* a:b;display:none")]
    [TestCase("display:none;a:b", "display;none")]
    public void Hides_Declaration_OnlyThatWhichHides(string hiding, string visible)
    {
        Assert.That(HiddenStyle.Hides(hiding), Is.True, hiding);
        Assert.That(HiddenStyle.Hides(visible), Is.False, visible);
    }

    [Test]
    public void Hides_DeclarationBehindALongOne_IsRead() => Assert.That(HiddenStyle.Hides($"--x:{new string('y', 500)};display:none"), Is.True);

    [Test]
    public void HasGap_LineFeedsOrBlanks_CountWhereverTheyStand()
    {
        for (int before = 0; before < 90; before++)
        {
            string head = new('a', before);
            Assert.That(HiddenMarkup.HasGap(head + new string('\n', 40) + "b"), Is.True, $"40 line feeds behind {before}");
            Assert.That(HiddenMarkup.HasGap(head + new string('\n', 39) + "b"), Is.False, $"39 line feeds behind {before}");
            Assert.That(HiddenMarkup.HasGap(head + new string(' ', 500)), Is.True, $"500 blanks behind {before}");
            Assert.That(HiddenMarkup.HasGap(head + new string(' ', 499) + "b"), Is.False, $"499 blanks behind {before}");
            Assert.That(HiddenMarkup.HasGap(head + new string('\n', 39) + "b" + new string('\n', 40) + "c"), Is.True, $"a second gap behind {before}");
        }
    }

    [TestCase('\u00a0')]
    [TestCase('\u3000')]
    [TestCase('\u2003')]
    [TestCase('\t')]
    public void HasGap_OtherBlanks_AreBlanks(char blank)
    {
        Assert.That(HiddenMarkup.HasGap("a" + new string(blank, 500) + "b"), Is.True);
        Assert.That(HiddenMarkup.HasGap("a" + new string(blank, 499) + "\nb"), Is.False, "a line feed is no blank");
        Assert.That(HiddenMarkup.HasGap("a" + string.Concat(Enumerable.Repeat("\n" + blank, 40)) + "b"), Is.True);
    }

    [Test]
    public void HasGap_LettersWithoutEnd_AreNone() => Assert.That(HiddenMarkup.HasGap(new string('\u2713', 2000) + new string('a', 2000)), Is.False);
}
