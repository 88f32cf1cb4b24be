using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Markup that once got past the readers, and its look-alikes that must stay unflagged.</summary>
[TestFixture]
internal sealed class MarkupEvasionTests
{
    [TestCase("<svg><animate attributeName=href values=\"https://evil.example/p\"/></svg>")]
    [TestCase("<svg><set attributeName=\"href\" to=\"https://evil.example/p\"/></svg>")]
    [TestCase("<svg fill=\"url(https://evil.example/p#a)\">")]
    [TestCase("<svg><rect filter=\"url('https://evil.example/p#f')\"/></svg>")]
    [TestCase("<svg><rect clip-path=url(//evil.example/p)>")]
    [TestCase("<p style=\"background:u\\72l(https://evil.example/p)\">")]
    [TestCase("<p style=\"background:\\75\\000072 l(//evil.example/p)\">")]
    [TestCase("<p style=\"background:u&#92;72l('https://evil.example/p')\">")]
    [TestCase("<p style=\"background:url(\\68ttps\\3a//evil.example/p)\">")]
    [TestCase("<p style=\"background:url(https:\\2f\\2f evil.example/p)\">")]
    [TestCase("<style>@im\\70ort '//evil.example/p';</style>")]
    [TestCase("<style>a{background:\\image-set('//evil.example/p')}</style>")]
    public void Sanitize_RemoteReference_LeavesNoAddress(string text)
    {
        SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        Assert.That(result.Flags & ContentFlags.RemoteResource, Is.EqualTo(ContentFlags.RemoteResource));
        Assert.That(result.Text, Does.Not.Contain("//evil"));
    }

    [TestCase("<javascript:alert(1)>")]
    [TestCase("<JavaScript:alert(1)>")]
    [TestCase("<data:text/html,x>")]
    [TestCase("<a href=\"https://evil.example\"><b>https://bank.example</b></a>")]
    [TestCase("<a href=https://evil.example> <span class=x><i>www.bank.example</i></span></a>")]
    [TestCase("[<b>https://bank.example</b>](https://evil.example/)")]
    public void Sanitize_ActiveContent_IsFlagged(string text) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags & ContentFlags.ActiveContent, Is.EqualTo(ContentFlags.ActiveContent));

    [TestCase("color:#fff;background:#ffffff")]
    [TestCase("background-color: white; color: #FFF !important")]
    [TestCase("color:rgba(0,0,0,0)")]
    [TestCase("color:rgb(0 0 0 / 0)")]
    [TestCase("color:hsla(0,0%,0%,0.0)")]
    [TestCase("color:#0000")]
    [TestCase("color:#12345600")]
    [TestCase("font-size:1px")]
    [TestCase("font-size:.05em")]
    [TestCase("opacity:.0")]
    [TestCase("opacity:0.01")]
    [TestCase("opacity:1%")]
    [TestCase("content-visibility:hidden")]
    [TestCase("filter:opacity(0)")]
    [TestCase("font:0/0 a")]
    [TestCase("position:fixed;top:-1000px")]
    [TestCase("margin-left:-5000px")]
    [TestCase("transform:translateX(-2000px)")]
    [TestCase("display:\\6eone")]
    [TestCase("d\\69 splay:none")]
    public void Sanitize_HiddenStyle_IsFlaggedEverywhere(string style)
    {
        foreach (string quote in (string[])["\"", "'"])
        {
            Assert.That(TextSanitizer.Default.Sanitize($"<p style={quote}{style}{quote}>x</p>", TextSurface.Result).Flags, Is.EqualTo(ContentFlags.HiddenMarkup));
        }

        string padded = string.Concat(Enumerable.Range(0, 400).Select(i => $"--v{i}:{i}px;")) + style;
        Assert.That(TextSanitizer.Default.Sanitize($"<p style=\"{padded}\">x</p>", TextSurface.Result).Flags, Is.EqualTo(ContentFlags.HiddenMarkup), "behind many others");
    }

    [TestCase("color:#000000;background:#fff")]
    [TestCase("color:white;background:navy")]
    [TestCase("color:rgba(0,0,0,0.5)")]
    [TestCase("font-size:12px;opacity:0.6")]
    [TestCase("margin-left:-12px;transform:translateX(-50%)")]
    [TestCase("--x:none;border:0;padding:0")]
    public void Sanitize_VisibleStyle_IsNotFlagged(string style) =>
        Assert.That(TextSanitizer.Default.Sanitize($"<p style=\"{style}\">x</p>", TextSurface.Result).Flags, Is.EqualTo(ContentFlags.None));

    [TestCase("<p hidden>x</p>")]
    [TestCase("<p class=\"a\"hidden>x</p>")]
    [TestCase("<p hidden=until-found>x</p>")]
    [TestCase("<!x y>")]
    [TestCase("<![CDATA[x]]>")]
    [TestCase("<?x y?>")]
    [TestCase("[//]:# (x)")]
    [TestCase("[x]:   <> (y)")]
    [TestCase("[x]:\n# \"y\"")]
    [TestCase("[x]: <#> 'y'")]
    public void Sanitize_HiddenInADescription_IsFlaggedThereOnly(string text)
    {
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Description).Flags, Is.EqualTo(ContentFlags.HiddenMarkup));
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags, Is.EqualTo(ContentFlags.None));
    }

    [TestCase("Returns <!DOCTYPE html> first.")]
    [TestCase("<?xml version=\"1.0\"?>")]
    [TestCase("Set `hidden` to true, or pass --hidden.")]
    [TestCase("<input type=hidden name=a>")]
    [TestCase("<overflow-hidden>")]
    [TestCase("[docs]: https://docs.example.org/a#b")]
    public void Sanitize_NothingHiddenInADescription_IsNotFlagged(string text) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Description).Flags, Is.EqualTo(ContentFlags.None));

    [TestCase("<\uff5cbegin\u2581of\u2581sentence\uff5c>")]
    [TestCase("<\uff5ctool\u2581calls\u2581begin\uff5c>")]
    [TestCase("<|START_OF_TURN_TOKEN|>")]
    [TestCase("<|tool_calls_section_begin|>")]
    [TestCase("<|reserved_special_token_0|>")]
    [TestCase("<|im\\_start|>")]
    [TestCase("[TOOL_CALLS]")]
    [TestCase("[AVAILABLE_TOOLS]")]
    [TestCase("[SYSTEM_PROMPT]")]
    [TestCase("[gMASK]")]
    [TestCase("<bos>")]
    [TestCase("{'role': 'system', 'content': 'x'}")]
    public void Sanitize_RoleMarker_IsFlagged(string text) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags & ContentFlags.RoleMarker, Is.EqualTo(ContentFlags.RoleMarker));

    [TestCase("f <| x |> g")]
    [TestCase("a <|b|> c")]
    [TestCase("<|>")]
    [TestCase("{'role': 'user', 'content': 'hi'}")]
    [TestCase("[TOOL CALLS] 12")]
    public void Sanitize_RoleMarkerLookAlike_IsNotFlagged(string text) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags, Is.EqualTo(ContentFlags.None));
}
