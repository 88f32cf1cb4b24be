using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Every attribute and element that loads, each action of the policy to the letter, and how an address is read.</summary>
[TestFixture]
internal sealed class RemoteReferenceTests
{
    [Test]
    public void Sanitize_AttributeThatLoads_LeavesNoAddress(
        [Values("src", "poster", "background", "lowsrc", "dynsrc", "action", "formaction", "xlink:href", "manifest", "codebase", "classid", "profile", "icon", "srcset", "imagesrcset", "ping", "archive")] string attribute)
    {
        Assert.That(Clean($"<img {attribute}=https://evil.example/p>"), Is.EqualTo($"<img {attribute}=hxxps:/_/evil[.]example/p>"));
        Assert.That(Clean($"<IMG {attribute.ToUpperInvariant()} = \"//evil.example/p\">"), Does.Not.Contain("//"));
        Assert.That(Clean($"<img x{attribute}=https://evil.example/p>"), Does.Contain("https://evil.example/p"), "another attribute");
    }

    [Test]
    public void Sanitize_ElementWhoseLinkLoads_LeavesNoAddress([Values("link", "base", "image", "use", "feImage", "mpath", "pattern", "filter", "svg:image", "script")] string element)
    {
        Assert.That(Clean($"<{element} href=https://evil.example/p>"), Is.EqualTo($"<{element} href=hxxps:/_/evil[.]example/p>"));
        Assert.That(Clean("<a href=https://evil.example/p>x</a>"), Is.EqualTo("<a href=https://evil.example/p>x</a>"));
    }

    [Test]
    public void Sanitize_AttributeOfAnAnimation_LeavesNoAddress([Values("animate", "set", "animateTransform", "animateMotion")] string element, [Values("values", "to", "from", "by")] string attribute)
    {
        Assert.That(Clean($"<{element} {attribute}=https://evil.example/p>"), Does.Not.Contain("https://"));
        Assert.That(Clean($"<p {attribute}=https://evil.example/p>"), Does.Contain("https://"), "of another element");
    }

    [Test]
    public void Sanitize_PresentationAttribute_LeavesNoAddress([Values("fill", "stroke", "filter", "mask", "clip-path", "cursor", "marker", "marker-start", "marker-mid", "marker-end", "style")] string attribute)
    {
        Assert.That(Clean($"<rect {attribute}=\"url(https://evil.example/p)\">"), Does.Not.Contain("https://"));
        Assert.That(Clean("<rect title=\"url(https://evil.example/p)\">"), Does.Contain("https://"));
    }

    [TestCase("<object data=https://evil.example/p>", true)]
    [TestCase("<p data=https://evil.example/p>", false)]
    [TestCase("<meta content=\"0;url=https://evil.example/p\">", true)]
    [TestCase("<meta content=\"0,https://evil.example/p\">", true)]
    [TestCase("<meta content=\" 1.5 ; URL = 'https://evil.example/p'\">", true)]
    [TestCase("<meta content=\";;url=https://evil.example/p\">", true)]
    [TestCase("<meta content=\"https://evil.example/p\">", false)]
    [TestCase("<p content=\"0;url=https://evil.example/p\">", false)]
    [TestCase("<img srcset=\"a.png, https://evil.example/p 2x\">", true)]
    [TestCase("<img srcset='//evil.example/p 1x,\nhttps://evil.example/q 2x'>", true)]
    [TestCase("<img src='a.png' srcset=>", false)]
    public void Sanitize_Markup_LosesItsAddressOnlyWhereItLoads(string text, bool loads)
    {
        SanitizerResult result = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        Assert.That(result.Flags.HasFlag(ContentFlags.RemoteResource), Is.EqualTo(loads));
        Assert.That(result.Text, loads ? Does.Not.Contain("//evil") : Is.SameAs(text));
    }

    [TestCase("<p onload=x>", true)]
    [TestCase("<p ONCLICK = x>", true)]
    [TestCase("<p only=x>", false)]
    [TestCase("<p on=x>", false)]
    [TestCase("<p done=x>", false)]
    [TestCase("<script>", true)]
    [TestCase("<p srcdoc=x>", true)]
    [TestCase("<a href=vbscript:x>", true)]
    [TestCase("<a href=livescript:x>", true)]
    [TestCase("<a href=mocha:x>", true)]
    [TestCase("<a href=mailto:x>", false)]
    [TestCase("<vbscript:x>", true)]
    [TestCase("<mocha:x>", true)]
    [TestCase("<livescript:x>", true)]
    public void Sanitize_ActiveMarkup_IsFlagged(string text, bool active) =>
        Assert.That(TextSanitizer.Default.Sanitize(text, TextSurface.Result).Flags.HasFlag(ContentFlags.ActiveContent), Is.EqualTo(active));

    [TestCase("![x](https://evil.example/p)", "![x](hxxps:/_/evil[.]example/p)", "![x](removed:evil[.]example)")]
    [TestCase("![x](http://evil.example/p)", "![x](hxxp:/_/evil[.]example/p)", "![x](removed:evil[.]example)")]
    [TestCase("![x](ftp://evil.example/p)", "![x](blocked:/_/evil[.]example/p)", "![x](removed:evil[.]example)")]
    [TestCase("<img src=//evil.example/p>", "<img src=hxxps:/_/evil[.]example/p>", "<img src=removed:evil[.]example>")]
    [TestCase("![x](https://u:p@evil.example:81/p)", "![x](hxxps:/_/u:p@evil[.]example:81/p)", "![x](removed:evil[.]example)")]
    [TestCase("![x](https://evil.example/p) https://evil.example/q.", "![x](hxxps:/_/evil[.]example/p) hxxps:/_/evil[.]example/q.", "![x](removed:evil[.]example) removed:evil[.]example")]
    public void Run_Action_IsDoneToTheLetter(string text, string defanged, string removed)
    {
        Assert.That(Clean(text), Is.EqualTo(defanged));
        Assert.That(Clean(text, new(RemoteReferenceAction.Remove)), Is.EqualTo(removed));
        SanitizerResult kept = new TextSanitizer(new(RemoteReferenceAction.Keep)).Sanitize(text, TextSurface.Result);
        Assert.That((kept.Text, kept.Flags), Is.EqualTo((text, ContentFlags.RemoteResource)));
        SanitizerResult allowed = new TextSanitizer(new(allowedHosts: ["evil.example"])).Sanitize(text, TextSurface.Result);
        Assert.That((allowed.Text, allowed.Flags), Is.EqualTo((text, ContentFlags.None)));
    }

    [TestCase("[x](https://evil.example/p?d=1)", "[x](hxxps:/_/evil[.]example/p?d=1)")]
    [TestCase("<a href=\"https://evil.example/p?d=1\">x</a>", "<a href=\"hxxps:/_/evil[.]example/p?d=1\">x</a>")]
    [TestCase("[x](https://evil.example/p)", "[x](https://evil.example/p)")]
    [TestCase("<a href=https://evil.example/p>x</a>", "<a href=https://evil.example/p>x</a>")]
    public void Run_LinkWithAQuery_GoesOnlyWhereThePolicySaysSo(string text, string expected)
    {
        Assert.That(Clean(text, new(linksWithQuery: RemoteReferenceAction.Defang)), Is.EqualTo(expected));
        Assert.That(Clean(text, new(linksWithQuery: RemoteReferenceAction.Defang, allowedHosts: ["evil.example"])), Is.EqualTo(text));
        SanitizerResult kept = TextSanitizer.Default.Sanitize(text, TextSurface.Result);
        Assert.That((kept.Text, kept.Flags), Is.EqualTo((text, ContentFlags.None)));
    }

    [TestCase("example.org", true)]
    [TestCase("EXAMPLE.org", true)]
    [TestCase("a.wild.example", true)]
    [TestCase("a.b.wild.example", true)]
    [TestCase("wild.example", false)]
    [TestCase("awild.example", false)]
    [TestCase("a.example.org", false)]
    [TestCase("org", false)]
    [TestCase("", false)]
    public void Allows_Host_IsListedOrBelowAStar(string host, bool allowed)
    {
        Assert.That(new RemoteReferencePolicy(allowedHosts: ["example.org", "*.wild.example"]).Allows(host), Is.EqualTo(allowed));
        Assert.That(RemoteReferencePolicy.Default.Allows(host), Is.False);
    }

    [TestCase("&colon;", ':')]
    [TestCase("&sol;", '/')]
    [TestCase("&bsol;", '\\')]
    [TestCase("&period;", '.')]
    [TestCase("&Tab;", '\t')]
    [TestCase("&NewLine;", '\n')]
    [TestCase("&quest;", '?')]
    [TestCase("&num;", '#')]
    [TestCase("&commat;", '@')]
    [TestCase("&lpar;", '(')]
    [TestCase("&rpar;", ')')]
    [TestCase("&lbrace;", '{')]
    [TestCase("&lcub;", '{')]
    [TestCase("&rbrace;", '}')]
    [TestCase("&rcub;", '}')]
    [TestCase("&quot;", '"')]
    [TestCase("&apos;", '\'')]
    [TestCase("&amp;", '&')]
    [TestCase("&lt;", '<')]
    [TestCase("&gt;", '>')]
    [TestCase("&nbsp;", '\u00a0')]
    [TestCase("&#58;", ':')]
    [TestCase("&#58", ':')]
    [TestCase("&#x3A;", ':')]
    [TestCase("&#X3a;", ':')]
    [TestCase("&#x003a;", ':')]
    [TestCase("&#0;", '\uFFFD')]
    [TestCase("&#xFFFF;", '\uFFFF')]
    [TestCase("&#x10000;", '\uFFFD')]
    [TestCase("&#9999999999;", '\uFFFD')]
    public void Read_Reference_IsItsCharacter(string reference, char expected)
    {
        char read = new MarkupDecoder(reference + "z", markdown: false).Read(0, out int next);
        Assert.That((read, next), Is.EqualTo((expected, reference.Length)));
    }

    [TestCase("&#;", false, '&', 1)]
    [TestCase("&#x;", false, '&', 1)]
    [TestCase("&", false, '&', 1)]
    [TestCase("&colon", false, '&', 1)]
    [TestCase("&other;", false, '&', 1)]
    [TestCase("\\:", true, ':', 2)]
    [TestCase("\\$", true, '$', 2)]
    [TestCase("\\a", true, '\\', 1)]
    [TestCase("\\", true, '\\', 1)]
    [TestCase("\\\u00a7", true, '\\', 1)]
    [TestCase("\\:", false, '\\', 1)]
    [TestCase("", false, '\0', 0)]
    public void Read_OtherText_IsItsFirstCharacter(string text, bool markdown, char expected, int after)
    {
        char read = new MarkupDecoder(text, markdown).Read(0, out int next);
        Assert.That((read, next), Is.EqualTo((expected, after)));
    }

    [TestCase("tool.name", "Name")]
    [TestCase("prompt.name", "Name")]
    [TestCase("param.name", "Name")]
    [TestCase("tool.result", "Result")]
    [TestCase("tool.error", "Result")]
    [TestCase("error", "Result")]
    [TestCase("result", "Result")]
    [TestCase("prompt", "Result")]
    [TestCase("log", "Result")]
    [TestCase("progress", "Result")]
    [TestCase("stderr", "Result")]
    [TestCase("resource", "Resource")]
    [TestCase("tool.description", "Description")]
    [TestCase("", "Description")]
    public void Parse_Word_NamesItsSurface(string word, string surface) => Assert.That(TextSurfaces.Parse(word).ToString(), Is.EqualTo(surface));

    private static string Clean(string text, RemoteReferencePolicy? policy = null) => new TextSanitizer(policy ?? RemoteReferencePolicy.Default).Sanitize(text, TextSurface.Result).Text;
}
