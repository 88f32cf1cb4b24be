using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>Names and quotes as JSON encoders, pages and addresses write them: what stands behind an escape is read as what it stands for.</summary>
[TestFixture]
internal sealed class SecretEscapeTests
{
    private const string Value = "hunter2-Xk9qLm";

    // Encoders of .NET and Go write '"', '&', '=' and '<' as \u0022, \u0026, \u003d and \u003c; a text in a text has its line ends as \n.
    [TestCase("{\"log\":\"first\\ntoken={0}\"}")]
    [TestCase("{\"log\":\"first\\r\\nsecret: {0}\"}")]
    [TestCase("first\\\\ntoken={0}")]
    [TestCase("{\"log\":\"first\\ttoken={0}\"}")]
    [TestCase("{\\u0022token\\u0022:\\u0022{0}\\u0022}")]
    [TestCase("{\\u0022password\\u0022: \\u0022{0}\\u0022}")]
    [TestCase("{\\\\u0022token\\\\u0022:\\\\u0022{0}\\\\u0022}")]
    [TestCase("{\\x22token\\x22:\\x22{0}\\x22}")]
    [TestCase("https://a/cb?x=1\\u0026token={0}")]
    [TestCase("https://a/cb?x=1\\u0026token\\u003d{0}")]
    [TestCase("\\u003cpassword\\u003e{0}\\u003c/password\\u003e")]
    [TestCase("{&quot;token&quot;:&quot;{0}&quot;}")]
    [TestCase("{&#34;token&#34;:&#34;{0}&#34;}")]
    [TestCase("{&#39;token&#39;: &#39;{0}&#39;}")]
    [TestCase("{&#x22;token&#x22;:&#x22;{0}&#x22;}")]
    [TestCase("&lt;password&gt;{0}&lt;/password&gt;")]
    [TestCase("a=1&amp;token={0}")]
    [TestCase("https://a/?next=https%3A%2F%2Fb%2F%3Fx%3D1%26token%3D{0}")]
    [TestCase("https://a/?next=https%3A%2F%2Fb%2F%3Ftoken%3D{0}")]
    [TestCase("https://a/?q=%7B%22token%22%3A%22{0}%22%7D")]
    [TestCase("https://a/?q=%0Atoken%3A%20{0}")]
    [TestCase("https://a/?next=https%253A%252F%252Fb%252F%253Fx%253D1%2526token%253D{0}")]
    [TestCase("{\"url\":\"https:\\/\\/anna:{0}@db.example\\/x\"}")]
    [TestCase("https:&#47;&#47;anna:{0}@db.example")]
    [TestCase("redirect=https%3A%2F%2Fanna:{0}%40db.example%2F")]
    public void Redact_NameOrQuoteBehindAnEscape_IsReadAsWhatItStandsFor(string form)
    {
        string redacted = SecretRedactor.Default.Redact(form.Replace("{0}", Value, StringComparison.Ordinal));
        Assert.That(redacted, Does.Not.Contain("hunter2").And.Contain("[redacted:"));
    }

    [TestCase("""{"password":{"value":"{0}"}}""")]
    [TestCase("""{"secret":{"stringValue":"{0}"}}""")]
    [TestCase("""{"DB_PASSWORD":{"Value":"{0}","Type":"SecureString"}}""")]
    [TestCase("""{"token":[["{0}"]]}""")]
    [TestCase("""{"KEY":"DB_PASSWORD","VALUE":"{0}"}""")]
    [TestCase("""{"ParameterKey":"DbPassword","ParameterValue":"{0}"}""")]
    [TestCase("""{"value":"{0}","variable":"DB_PASSWORD"}""")]
    [TestCase("""[{"name":"DB_PASSWORD","value":{"secret":"{0}"}}]""")]
    [TestCase("""["-H","Authorization: Bearer {0}"]""")]
    [TestCase("""{"pass\u0077ord":"{0}"}""")]
    [TestCase("""{"pаssword":"{0}"}""")]
    [TestCase("""{"ｐａｓｓｗｏｒｄ":"{0}"}""")]
    [TestCase("""{"pass\u200bword":"{0}"}""")]
    [TestCase("""{"to\u00adken":"{0}"}""")]
    [TestCase("""{"{0}":1,"password":"{0}"}""")]
    public void Redact_ValueBesideOrBelowItsName_IsGone(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json.Replace("{0}", Value, StringComparison.Ordinal));
        ReadOnlyMemory<byte>? redacted = JsonRedactor.Default.Redact(document.RootElement);
        Assert.That(redacted, Is.Not.Null);
        Assert.That(Encoding.UTF8.GetString(redacted!.Value.Span), Does.Not.Contain("hunter2"));
    }

    [TestCase("C:\\new\\tools\\next and 100%25 of &amp; or &lt;b&gt;, \\u0041 %41 \\x41")]
    [TestCase("{\"text\":\"first\\nThe token of the next page is short.\\n\\tUse password: required\"}")]
    [TestCase("?next=%2Fa%3Fpage_token%3DCAUQAA%26max_tokens%3D4096")]
    [TestCase("\\\\ \\ & % &; %2 %zz \\u12 \\uzzzz &#; &#x; &#99999999; &amp")]
    public void Redact_EscapesWithoutSecret_ReturnTheSameInstance(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));

    [TestCase("a \\u0022token\\u0022:\\u0022{0}\\u0022 b", "a \\u0022token\\u0022:\\u0022[redacted:keyed]\\u0022 b")]
    [TestCase("x=1%26token%3D{0}%26y=2", "x=1%26token%3D[redacted:keyed]%26y=2")]
    [TestCase("&quot;token&quot;:&quot;{0}&quot;&gt;rest", "&quot;token&quot;:&quot;[redacted:keyed]&quot;&gt;rest")]
    [TestCase("\u200b1\\ntoken={0}\\nrest", "\u200b1\\ntoken=[redacted:keyed]\\nrest")]
    public void Redact_ValueAmongEscapes_IsTakenAndTheRestStays(string form, string expected) =>
        Assert.That(SecretRedactor.Default.Redact(form.Replace("{0}", Value, StringComparison.Ordinal)), Is.EqualTo(expected));

    [Test]
    public void Redact_TokenWithAnEscapedCharacter_IsGone() =>
        Assert.That(SecretRedactor.Default.Redact("x gh" + "\\u0070_J44BUcHAolMavlSRMOXwGXYnNptsRZzMSjWF y"), Is.EqualTo("x [redacted:github-pat] y"));

    [TestCase("\\")]
    [TestCase("%25")]
    [TestCase("&amp;")]
    [TestCase("&amp;amp;")]
    [TestCase("%2525")]
    [TestCase("\\u0022token")]
    [TestCase("\\ntoken=")]
    [TestCase("token%3D%22")]
    public void Redact_MillionHostileEscapes_TakesLinearTime(string unit)
    {
        string text = string.Concat(Enumerable.Repeat(unit, 1_000_000 / unit.Length));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        SecretRedactor.Default.Redact(text);
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), "quadratic work takes minutes");
    }
}
