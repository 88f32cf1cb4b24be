using System.Text.Json;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>Ways of writing a credential that once got past the redactor, and look-alikes that must stay.</summary>
[TestFixture]
internal sealed class SecretEvasionTests
{
    private const string Value = "Xk9dPq2LmN8vRt5w";
    private const string Line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    private const string Begin = "-----BEGIN " + "PRIVATE KEY-----";

    [TestCase("\n", "\n", TestName = "Redact_KeyWithoutItsEnd_LineFeeds")]
    [TestCase("\r\n", "\r\n", TestName = "Redact_KeyWithoutItsEnd_CarriageReturns")]
    [TestCase("\\n", "\\n", TestName = "Redact_KeyWithoutItsEnd_EscapedLineFeeds")]
    [TestCase("\\\\n", "\\\\n", TestName = "Redact_KeyWithoutItsEnd_LineFeedsEscapedTwice")]
    [TestCase("\n    ", "\n    ", TestName = "Redact_KeyWithoutItsEnd_Indented")]
    [TestCase("\n> ", "\n> ", TestName = "Redact_KeyWithoutItsEnd_Quoted")]
    [TestCase("\n+", "\n+", TestName = "Redact_KeyWithoutItsEnd_InADifference")]
    [TestCase("\\n\" +\n\"", "\\n\" +\n\"", TestName = "Redact_KeyWithoutItsEnd_Concatenated")]
    [TestCase("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AAAA\n\n", "\n", TestName = "Redact_KeyWithoutItsEnd_BehindHeaders")]
    public void Redact_KeyWithoutItsEnd_IsTakenAsFarAsItGoes(string beforeFirst, string between)
    {
        string redacted = SecretRedactor.Default.Redact($"before {Begin}{beforeFirst}{Line}{between}{Line}\nAb3=\nThe end of the log.");
        Assert.That(redacted, Does.StartWith("before [redacted:private-key]").And.Not.Contain(Line[..12]));
    }

    [Test]
    public void Redact_KeyWithoutItsEnd_LeavesTheTextBehindIt() =>
        Assert.That(SecretRedactor.Default.Redact($"{Begin}\n{Line}\n{Line}\nAb3=\n\nThe end of the log."), Is.EqualTo("[redacted:private-key]\n\nThe end of the log."));

    [TestCase("<ns:password>{0}</ns:password>")]
    [TestCase("<password><![CDATA[{0}]]></password>")]
    [TestCase("password: |\n  {0}\n")]
    [TestCase("password: >-\n  {0}\n")]
    [TestCase("password:\n  {0}")]
    [TestCase("password=\\\n{0}")]
    [TestCase("password=\\\r\n  {0}")]
    [TestCase("**password**: {0}")]
    [TestCase("password\uff1a{0}")]
    [TestCase("password\uff1d{0}")]
    [TestCase("next=1%26password%3D{0}")]
    public void Redact_NameInAnotherDress_ItsValueGoes(string template) =>
        Assert.That(SecretRedactor.Default.Redact(template.Replace("{0}", Value, StringComparison.Ordinal)), Does.Not.Contain(Value[..12]).And.Contain("[redacted:keyed]"));

    [TestCase("p\u0430ssword")]
    [TestCase("\uff50\uff41\uff53\uff53word")]
    [TestCase("acc\u0435ssToken")]
    [TestCase("api\u200bKey")]
    public void Redact_FieldNameWithLookalikes_ItsValueGoes(string name)
    {
        string json = JsonSerializer.Serialize(new Dictionary<string, string> { [name] = Value });
        using JsonDocument document = JsonDocument.Parse(json);
        Assert.That(JsonRedactor.Default.Redact(document.RootElement), Is.Not.Null);
    }

    [TestCase("const token = await getToken();")]
    [TestCase("token:\n  type: string")]
    [TestCase("password:\n  - first\n  - second")]
    [TestCase("password:\n  required")]
    [TestCase("secret: |\n")]
    [TestCase("Passwords\uff1asee below")]
    [TestCase("<ns:tokens>12</ns:tokens>")]
    [TestCase("a **key** 4096 bits")]
    public void Redact_LookAlike_Stays(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));
}
