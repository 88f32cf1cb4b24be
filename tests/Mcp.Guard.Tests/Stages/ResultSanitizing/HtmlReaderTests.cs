using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Which attributes and elements load, run or hide something, each by itself.</summary>
[TestFixture]
internal sealed class HtmlReaderTests
{
    private const string Evil = "https://evil.example/p";

    /// <summary>A flag is set once or many times.</summary>
    [TestCase("<script>a()</script>", ContentFlags.ActiveContent)]
    [TestCase("<p onclick=a()>", ContentFlags.ActiveContent)]
    [TestCase("<iframe srcdoc='<p>'></iframe>", ContentFlags.ActiveContent)]
    [TestCase("<a href=\"https://evil.example\">https://bank.example</a>", ContentFlags.ActiveContent)]
    [TestCase("<a href=\"https://a.example/{{x}}\">x</a>", ContentFlags.ActiveContent)]
    [TestCase("<a href=\"javascript:a()\">x</a>", ContentFlags.ActiveContent)]
    [TestCase("<p style=\"display:none\">x</p>", ContentFlags.HiddenMarkup)]
    [TestCase("<img src=" + Evil + ">", ContentFlags.RemoteResource)]
    [TestCase("<p style=\"background:u\\72l(javascript:a())\">", ContentFlags.ActiveContent)]
    public void Sanitize_TheSameMarkupTwice_IsFlagged(string text, ContentFlags flag) => Assert.Multiple(() =>
    {
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags & flag, Is.EqualTo(flag), "once");
        Assert.That(TextSanitizer.Default.Sanitize(text + " and " + text, TextSurface.Result).Flags & flag, Is.EqualTo(flag), "twice");
    });

    /// <summary>Addresses in the notation of style sheets load something only where there is style.</summary>
    [TestCase("<p style=\"color:red\">", true)]
    [TestCase("<style>a{}</style>", true)]
    [TestCase("<rect fill=none>", true)]
    [TestCase("<rect marker-mid=none>", true)]
    [TestCase("<p onclick=a()>", false)]
    [TestCase("<img src=a.png>", false)]
    [TestCase("<img srcset='a.png 1x'>", false)]
    [TestCase("<iframe srcdoc=x>", false)]
    [TestCase("<a href=/a>", false)]
    [TestCase("<link href=/a>", false)]
    [TestCase("<object data=a>", false)]
    [TestCase("<meta content=1>", false)]
    [TestCase("<animate values=1>", false)]
    [TestCase("<p title=x>", false)]
    [TestCase("<p>", false)]
    public void Sanitize_AddressInTheNotationOfStyles_CountsOnlyBesideStyle(string tag, bool style)
    {
        ContentFlags flags = TextSanitizer.Default.Sanitize($"{tag} css has url({Evil}) for images", TextSurface.Result).Flags;
        Assert.That((flags & ContentFlags.RemoteResource) != 0, Is.EqualTo(style));
    }

    [TestCase("src")]
    [TestCase("poster")]
    [TestCase("background")]
    [TestCase("lowsrc")]
    [TestCase("dynsrc")]
    [TestCase("action")]
    [TestCase("formaction")]
    [TestCase("xlink:href")]
    [TestCase("manifest")]
    [TestCase("codebase")]
    [TestCase("classid")]
    [TestCase("profile")]
    [TestCase("icon")]
    [TestCase("srcset")]
    [TestCase("imagesrcset")]
    [TestCase("ping")]
    [TestCase("archive")]
    public void Sanitize_AttributeThatLoads_IsDefangedHoweverItIsQuoted(string name) => Assert.Multiple(() =>
    {
        foreach (string value in (string[])[Evil, $"\"{Evil}\"", $"'{Evil}'", $" \"{Evil}\"", $"\n{Evil} "])
        {
            foreach (string text in (string[])[$"<x {name}={value}>", $"<x a=\"1\"{name.ToUpperInvariant()}={value}>", $"<x/{name} ={value}>", $"<x a='>'{name}={value}>", $"<x a=b {name}={value}>"])
            {
                SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
                Assert.That(result.Flags & ContentFlags.RemoteResource, Is.EqualTo(ContentFlags.RemoteResource), text);
                Assert.That(result.Text, Does.Not.Contain("//evil"), text);
            }
        }
    });

    /// <summary>HTML, "shared declarative refresh steps": digits and points, then ';', ',' or a blank, then an address with or without "url=".</summary>
    [TestCase("0;url=" + Evil, true)]
    [TestCase("0; URL = '" + Evil + "'", true)]
    [TestCase("0 url=" + Evil, true)]
    [TestCase("0\turl=" + Evil, true)]
    [TestCase("0  " + Evil, true)]
    [TestCase("0," + Evil, true)]
    [TestCase("0.5 ; url=\"" + Evil, true)]
    [TestCase(" 1;" + Evil, true)]
    [TestCase(";url=" + Evil, true)]
    [TestCase(".;url=" + Evil, true)]
    [TestCase("0", false)]
    [TestCase("0;", false)]
    [TestCase("0;url", false)]
    [TestCase("0;url=", false)]
    [TestCase("", false)]
    [TestCase("text " + Evil, false)]
    public void Sanitize_RefreshOfAPage_IsDefanged(string content, bool loads)
    {
        string text = $"<meta http-equiv=refresh content='{content.Replace('\'', '"')}'>";
        SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        Assert.That((result.Flags & ContentFlags.RemoteResource) != 0, Is.EqualTo(loads));
        Assert.That(result.Text.Contains("//evil", StringComparison.Ordinal), Is.EqualTo(!loads && content.Contains("//evil", StringComparison.Ordinal)));
    }

    [TestCase("a.png 1x, " + Evil + " 2x")]
    [TestCase(Evil + "/1 1x," + Evil + "/2 2x")]
    [TestCase(Evil + "/1\t" + Evil + "/2\n" + Evil + "/3")]
    [TestCase(",," + Evil)]
    [TestCase(Evil + "/1," + Evil + "/2")]
    public void Sanitize_ListOfAddresses_EachIsDefanged(string list)
    {
        SanitizerResult result = TextSanitizer.Default.Sanitize($"<img srcset=\"{list}\">", TextSurface.Result);
        Assert.That(result.Text, Does.Not.Contain("//evil"));
        Assert.That(result.Flags & ContentFlags.RemoteResource, Is.EqualTo(ContentFlags.RemoteResource));
    }

    [TestCase("<srcset src")]
    [TestCase("<img srcset=")]
    [TestCase("<img srcset=\"")]
    [TestCase("<img src=")]
    [TestCase("<meta content=")]
    [TestCase("<meta content=\"0;url=")]
    [TestCase("<p style=\"background:url(")]
    [TestCase("<p style=\"@import ")]
    [TestCase("<")]
    [TestCase("<a")]
    [TestCase("a=b")]
    [TestCase("=")]
    [TestCase("<a =b>")]
    public void Sanitize_MarkupThatEndsTooSoon_StaysAsItIs(string text)
    {
        SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        Assert.That((result.Text, result.Flags), Is.EqualTo((text, ContentFlags.None)));
    }

    /// <summary>What hides text from the reader of a description.</summary>
    [TestCase("<!-- x -->", true)]
    [TestCase("<![CDATA[x]]>", true)]
    [TestCase("<!x>", true)]
    [TestCase("<!doctype html>", false)]
    [TestCase("<?x ?>", true)]
    [TestCase("<?xml version='1.0'?>", false)]
    [TestCase("<?php x ?>", false)]
    [TestCase("<!", false)]
    [TestCase("<!>", false)]
    [TestCase("<details>x</details>", true)]
    [TestCase("<DETAILS open>x", true)]
    [TestCase("<p hidden>x", true)]
    [TestCase("<p/hidden>x", true)]
    [TestCase("<p a=\"1\"hidden>x", true)]
    [TestCase("<p hidden=until-found>x", true)]
    [TestCase("<p HIDDEN/>x", true)]
    [TestCase("<p data-hidden=1>x", false)]
    [TestCase("<p hiddenness>x", false)]
    [TestCase("<p class=hidden>x", false)]
    [TestCase("<p hidden", false)]
    [TestCase("x < y and hidden > z", false)]
    public void Sanitize_MarkupThatHidesInDescriptions_IsFlaggedThere(string text, bool hides)
    {
        Assert.That((TextSanitizer.Default.Sanitize(text, TextSurface.Description).Flags & ContentFlags.HiddenMarkup) != 0, Is.EqualTo(hides));
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags & ContentFlags.HiddenMarkup, Is.EqualTo(ContentFlags.None));
    }

    [TestCase("javascript")]
    [TestCase("vbscript")]
    [TestCase("livescript")]
    [TestCase("mocha")]
    public void Sanitize_AutolinkOfAScript_IsFlagged(string scheme) => Assert.Multiple(() =>
    {
        Assert.That(TextSanitizer.Default.Sanitize($"<{scheme}:a()>", TextSurface.Result).Flags, Is.EqualTo(ContentFlags.ActiveContent));
        Assert.That(TextSanitizer.Default.Sanitize($"<{scheme}>", TextSurface.Result).Flags, Is.EqualTo(ContentFlags.None));
    });
}
