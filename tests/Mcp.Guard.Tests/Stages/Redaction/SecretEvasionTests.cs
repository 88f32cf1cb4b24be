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

    [TestCase("SECRET_KEY_BASE={0}")]
    [TestCase("secret_key_base: {0}")]
    [TestCase("AZURE_STORAGE_KEY={0}")]
    [TestCase("export GITHUB_PAT={0}")]
    [TestCase("AZURE_DEVOPS_EXT_PAT: {0}")]
    [TestCase("DB_PASS={0}")]
    [TestCase("ansible_become_pass: {0}")]
    [TestCase("rootpw={0}")]
    [TestCase("user=anna pass={0}")]
    [TestCase("{\"user\":\"anna\",\"pass\":\"{0}\"}")]
    [TestCase("login: anna, pw: {0}")]
    [TestCase("curl -u anna:{0} https://a.example/")]
    [TestCase("curl -sS -X POST --user 'anna:{0}' https://a.example/")]
    [TestCase("curl -s https://a.example/ -uanna:{0}")]
    [TestCase("mysql -u root -p{0} shop")]
    [TestCase("mysqldump --host=db -p'{0}' shop")]
    [TestCase("sshpass -p {0} ssh anna@a.example")]
    [TestCase("sshpass -p '{0}' scp a b:")]
    [TestCase("docker login -u anna -p {0} registry.example.com")]
    [TestCase("az login --service-principal -u anna -p={0}")]
    [TestCase("redis-cli -h db -a {0} ping")]
    [TestCase("ldapsearch -x -D cn=admin -w {0} -b dc=a")]
    [TestCase("smbclient //a/b -U anna%{0}")]
    [TestCase("plink -pw {0} anna@a.example")]
    [TestCase("openssl rsa -in a.pem -passin pass:{0} -out b.pem")]
    [TestCase("CREATE USER 'anna'@'%' IDENTIFIED BY '{0}';")]
    [TestCase("alter user anna identified by \"{0}\"")]
    [TestCase("GRANT ALL ON a.* TO b IDENTIFIED BY PASSWORD '{0}'")]
    public void Redact_SecretByItsPlace_ItsValueGoes(string template)
    {
        string redacted = SecretRedactor.Default.Redact(template.Replace("{0}", Value, StringComparison.Ordinal));
        Assert.That(redacted, Does.Not.Contain(Value[..12]).And.Contain("[redacted:"));
        Assert.That(SecretRedactor.Default.Redact(redacted), Is.SameAs(redacted));
    }

    [TestCase("MTIzNDU2Nzg5MDEyMzQ1Njc4.G" + "abcde.AbCdEfGhIjKlMnOpQrStUvWxYz012345678901")]
    [TestCase("s.Ab3dEf5hIj7kLm9o" + "Pq1rSt3v")]
    [TestCase("---- BEGIN SSH2 " + "ENCRYPTED PRIVATE KEY ----\nComment: \"a\"\n" + Line + "\nAb3=\n---- END SSH2 ENCRYPTED PRIVATE KEY ----")]
    [TestCase("---- BEGIN SSH2 " + "PRIVATE KEY ----\n" + Line + "\n" + Line)]
    public void Redact_Structure_Goes(string secret)
    {
        string redacted = SecretRedactor.Default.Redact($"it is {secret} and more".Replace("\\n", "\n", StringComparison.Ordinal));
        Assert.That(redacted, Does.StartWith("it is [redacted:").And.Not.Contain("MIIE").And.Not.Contain("345678"));
    }

    [TestCase("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"d\":\"D0aa7d11d9p3FQZk9VrcbQ\",\"p\":\"P0aa7d11d9p3FQZk9VrcbQ\"}")]
    [TestCase("{\"d\":\"D0aa7d11d9p3FQZk9VrcbQ\",\"crv\":\"P-256\",\"kty\":\"EC\"}")]
    [TestCase("{\"kty\":\"oct\",\"k\":\"D0aa7d11d9p3FQZk9VrcbQ\"}")]
    public void Redact_WebKey_PrivateMembersGo(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        string parsed = System.Text.Encoding.UTF8.GetString(JsonRedactor.Default.Redact(document.RootElement)!.Value.Span);
        string text = SecretRedactor.Default.Redact("the key " + json + ".");
        string escaped = SecretRedactor.Default.Redact("the key " + json.Replace("\"", "\\\"", StringComparison.Ordinal) + ".");
        foreach (string redacted in (string[])[parsed, text, escaped])
        {
            Assert.That(redacted, Does.Not.Contain("0aa7d11d9p3").And.Contain("kty"));
        }
    }

    [Test]
    public void Redact_XmlKey_PrivateElementsGo()
    {
        const string key = "<RSAKeyValue><Modulus>AQABAQABAQABAQABAQAB</Modulus><Exponent>AQAB</Exponent><P>P0aa7d11d9p3FQZk9VrcbQ==</P><DP>P0aa7d11d9p3FQZk9VrcbQ==</DP><D>D0aa7d11d9p3FQZk9VrcbQ==</D></RSAKeyValue>";
        string redacted = SecretRedactor.Default.Redact("x " + key + " y");
        Assert.That(redacted, Does.Contain("<Modulus>AQAB").And.Contain("<P>[redacted:private-key]</P>").And.Not.Contain("0aa7d11").And.EndsWith(" y"));
    }

    [TestCase("curl -u https://a.example/")]
    [TestCase("curl -u \"$USER:$PASSWORD\" https://a.example/")]
    [TestCase("curl -u user:<password> https://a.example/")]
    [TestCase("docker run -u 1000:1000 image")]
    [TestCase("mysql -u root -p shop")]
    [TestCase("mkdir -p some/folder; cp -p a b")]
    [TestCase("docker login -u anna --password-stdin")]
    [TestCase("psql -p 5432 -U anna")]
    [TestCase("pass: 12, fail: 3")]
    [TestCase("{\"pass\":\"all tests\",\"fail\":\"none\"}")]
    [TestCase("proxy_pass http://backend.example;")]
    [TestCase("a user is identified by 'name'")]
    [TestCase("items.ToString(), s.SomeMethodNameOfProgram24()")]
    [TestCase("{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN\",\"e\":\"AQAB\",\"kid\":\"2011-04-29-which-is-long\"}")]
    [TestCase("{\"d\":\"2026-11-24T00:00:00Z-first\",\"p\":\"some-long-parameter\"}")]
    [TestCase("path/to/file_path and hub_path = a/long/path/to/somewhere1")]
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
