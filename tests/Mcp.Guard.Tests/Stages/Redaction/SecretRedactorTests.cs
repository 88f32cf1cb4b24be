using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Tests.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.Redaction;

[TestFixture]
internal sealed class SecretRedactorTests
{
    /// <summary>Put together here so that no scanner takes this file for a leak.</summary>
    private static readonly string Pat = "ghp_" + "J44BUcHAolMavlSRMOXwGXYnNptsRZzMSjWF";

    private static readonly string[] Pieces =
    [
        "password", "PASSWORD=", "token: ", "\"secret\":", "api_key", "=", ":", " ", "\n", "\"", "'", "\\", ";", "&", "Bearer ", "Basic ", "Cookie: ", "Set-Cookie: ", "a=b1c2", "Authorization: ",
        "ghp_J44BUcHAolMavlSRMOXwGXYn", "NptsRZzMSjWF", "AKIA", "IOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9", ".", "eyJzdWIiOiJmIn0", "https://", "user", "@", "host", "/", "hunter22x", "[redacted:keyed]", "<", ">",
        "-----BEGIN ", "RSA PRIVATE KEY", "-----", "MIIEabcdef0123456789", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "078-05-1120", "123456789:", "pin", "1234", "--token ", "\u200b", "\u00ad", "\ud800", "{", "}", "login ", "machine ", "sk-", "xoxb-", "key",
        "[redacted:", "redacted:", "keyed]", "repeated", "command-line", "]", "curl -u ", "mysql -p", "x1y2z3w4", "IDENTIFIED BY ", "create user ", "password '", "-passin ", "pass:", "\u001b[1m", "\u001b[", "value", "</name>", "<value>", "name=", "\"kty\"", "\"d\":\"", "string ", "str =", "SSWS ", "-----END ",
    ];

    [Test]
    public void Redact_HostilePieces_IsIdempotent() =>
        Prop.ForAll(Gen.ListOf(Gen.Elements(Pieces)).Select(list => string.Concat(list)).ToArbitrary(), text =>
        {
            string once = SecretRedactor.Default.Redact(text);
            return ReferenceEquals(SecretRedactor.Default.Redact(once), once);
        }).Check(Properties.Config());

    /// <summary>What 100,000 random texts found: a piece of the replacement itself stands as the value of a name.</summary>
    [TestCase("curl -u[redacted:]Authorization:edacted:")]
    [TestCase("curl -u [redacted:keyed] password=redacted: curl -u [redacted:keyed]")]
    public void Redact_ValueThatIsAPieceOfTheReplacement_IsIdempotent(string text)
    {
        string once = SecretRedactor.Default.Redact(text);
        Assert.That(SecretRedactor.Default.Redact(once), Is.SameAs(once));
        Assert.That(once, Does.Not.Contain("[["));
    }

    [Test]
    public void Redact_RandomUnits_NeverThrows() =>
        Prop.ForAll(HostileText.OfUnits, text => SecretRedactor.Default.Redact(text) is not null).Check(Properties.Config());

    [TestCase("The token of the next page is short. Password rules: at least 8 characters.")]
    [TestCase("Use password: required. token: string; secret = getSecret(); key=ArrowUp")]
    [TestCase("client_secret=client_secret, api_key = os.environ[\"API_KEY\"], token=${TOKEN}, pwd=$PWD_FILE")]
    [TestCase("order 1234567890123456, 2026-11-22, 10.0.0.1:8080, v1.2.3, +100%")]
    [TestCase("next_page_token=CAUQAA&max_tokens=4096 tokenizer: fast")]
    public void Redact_CleanText_ReturnsTheSameInstance(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));

    [TestCase("https://api.telegram.org/bot", "1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9", "/getMe")]
    [TestCase("https://discord.com/api/v10", "/webhooks/1134567890123456789/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQr", "")]
    [TestCase("https://canary.discord.com/api", "/webhooks/1134567890123456789/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQr", "")]
    [TestCase("if password == ", "hunter2go", ": pass")]
    [TestCase("if password == \"", "correcthorse", "\": pass")]
    [TestCase("password==", "correcthorse", " next")]
    [TestCase("password == ", "correcthorse", " next")]
    [TestCase("password: ", "correct.horse", "<br>next")]
    [TestCase("password: ", "correct.horse", "; next")]
    [TestCase("token: ", "correct.horse", ", next")]
    [TestCase("<token>", "correct.horse", "</token>")]
    [TestCase("https", "://hooks.slack.com/workflows/T0123ABCDE/A0123ABCDE/401234567890123456/AbCdEfGhIjKlMnOpQrStUvWx", "")]
    [TestCase("https", "://hooks.slack-gov.com/services/T0123ABCDE/B0123ABCDE/AbCdEfGhIjKlMnOpQrStUvWx", "")]
    [TestCase("https", "://hooks.slack.com/triggers/T0123ABCDE/1234567890123/0123456789abcdef0123456789abcdef", "")]
    [TestCase("token ", "aB3dEfGh1jKlMn.atlasv1.aB3dEfGh1jKlMn0pQrStUvWxaB3dEfGh1jKlMn0pQrStUvWxaB3dEfGh1jK", " ok")]
    [TestCase("license ", "0123456789abcdef0123456789abcdef0123NRAL", " ok")]
    [TestCase("key ", "sk-None-aB3dEfGh1jKlMn0pQrStUvWx", " ok")]
    [TestCase("", "age-secret-key-1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqscdketv", " ok")]
    [TestCase("sid ", "SK" + "0123456789abcdef0123456789abcdef", " ok")]
    [TestCase("(", "Xyz8Q~" + "abcdefghijklmnopqrstuvwxyz01234", ")")]
    [TestCase("card ", "4111 1111 1111 1111", " 12/27 123")]
    [TestCase("card ", "4111-1111-1111-1111", "-2027")]
    [TestCase("cards ", "4111 1111 1111 1111", " 5500 0000 0000 0005x")]
    [TestCase("1Q~ab ", "Xyz8Q~" + "abcdefghijklmnopqrstuvwxyz01234", "")]
    [TestCase("Authorization: Bearer                                                                      ", "aB3dEfGh1jKlMn0pQr", " tail")]
    [TestCase("Authorization: Negotiate ", "YIIabc", "\r\nHost: a")]
    public void Redact_RealFormatOfAVendor_IsGoneAndWhatStandsAroundStays(string before, string secret, string after)
    {
        string redacted = SecretRedactor.Default.Redact(before + secret + after);
        Assert.That(redacted, Does.Not.Contain(secret[..6]).And.Contain("[redacted:").And.EndsWith(after));
    }

    [TestCase("SKU 12345, SK-II, skeleton, SKIP")]
    [TestCase("the robot12345: it said hello")]
    [TestCase("/api/v2/webhooks/list and /services/index")]
    [TestCase("NRAL stands for a kind of key")]
    [TestCase("https://github.com/a/b/tree/main/.github/workflows/build-and-publish-the-packages.yml")]
    [TestCase("tokens look like <14 characters>.atlasv1.<more>, as in cloud.atlasv1.schema.json")]
    [TestCase("secret_rotation_interval_of_the_production_database and secret_manager")]
    [TestCase("faqs Q~ and 1Q~")]
    [TestCase("authorization: required for each of the calls")]
    public void Redact_NearMiss_ReturnsTheSameInstance(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));

    [Test]
    public void Redact_InvisibleCharactersInside_DoNotHideAToken()
    {
        string text = "x " + Pat.Insert(2, "\u200b").Insert(20, "\u2060") + " y";
        Assert.That(SecretRedactor.Default.Redact(text), Is.EqualTo("x [redacted:github-pat] y"));
    }

    [TestCase("password = \"{0}\"", "password = \"[redacted:keyed]\"")]
    [TestCase("{\\\"password\\\":\\\"{0}\\\"}", "{\\\"password\\\":\\\"[redacted:keyed]\\\"}")]
    [TestCase("<password>{0}</password>", "<password>[redacted:keyed]</password>")]
    [TestCase("<add key=\"Password\" value=\"{0}\"/>", "<add key=\"Password\" value=\"[redacted:keyed]\"/>")]
    [TestCase("curl -H 'X-Api-Key: {0}' https://a.example", "curl -H 'X-Api-Key: [redacted:keyed]' https://a.example")]
    [TestCase("Cookie: sid={0}; theme=dark", "Cookie: sid=[redacted:cookie]; theme=[redacted:cookie]")]
    [TestCase("redis://:{0}@cache:6379/0", "redis://:[redacted:url-credentials]@cache:6379/0")]
    public void Redact_KeyedValue_TakesTheValueOnly(string template, string expected) =>
        Assert.That(SecretRedactor.Default.Redact(template.Replace("{0}", "N0tAReal-Passw0rd", StringComparison.Ordinal)), Is.EqualTo(expected));

    [Test]
    public void Redact_ValueOfASensitiveName_GoesEverywhereInTheText() =>
        Assert.That(SecretRedactor.Default.Redact("password=Sommer2026x! then log(Sommer2026x!)"), Does.Not.Contain("Sommer2026x"));

    [Test]
    public void Redact_ContactsOption_TakesMailAndTelephone()
    {
        const string text = "write anna@example.com or call +1 202 555 0143 now";
        Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));
        Assert.That(new SecretRedactor(contacts: true).Redact(text), Is.EqualTo("write [redacted:mail] or call [redacted:telephone] now"));
    }

    [TestCase("""{"user":"anna","password":"N0tAReal"}""", """{"user":"anna","password":"[redacted:json-field]"}""")]
    [TestCase("""{"pin":123456,"n":1.50}""", """{"pin":"[redacted:json-field]","n":1.50}""")]
    [TestCase("""{"tokens":3,"token":["abcd1","efgh2"],"a":{"b":null}}""", """{"tokens":3,"token":["[redacted:json-field]","[redacted:json-field]"],"a":{"b":null}}""")]
    [TestCase("""{"args":["--token","abcd1234","-v"]}""", """{"args":["--token","[redacted:json-field]","-v"]}""")]
    [TestCase("""{"headers":[{"name":"Cookie","value":"sid=abcd1234"}]}""", """{"headers":[{"name":"Cookie","value":"sid=[redacted:cookie]"}]}""")]
    [TestCase("""{"password":"N0tAReal","log":"tried N0tAReal"}""", """{"password":"[redacted:json-field]","log":"tried [redacted:repeated]"}""")]
    public void Redact_JsonField_TakesTheValueOnly(string json, string expected) => Assert.That(RedactJson(json), Is.EqualTo(expected));

    [TestCase("""{"required":["password","username"],"password":{"type":"string"}}""")]
    [TestCase("""{"pin":13,"token":null,"secret":true,"cookie":{"enabled":true},"nextPageToken":"abcdefgh"}""")]
    public void Redact_JsonWithoutSecrets_IsUnchanged(string json) => Assert.That(RedactJson(json), Is.SameAs(json));

    [Test]
    public void Redact_SecretsAsNames_StayApart()
    {
        string json = $$"""{"{{Pat}}":1,"{{Pat[..^1]}}A":2}""";
        Assert.That(RedactJson(json), Is.EqualTo("""{"[redacted:github-pat]":1,"[redacted:github-pat]~2":2}"""));
    }

    private static string RedactJson(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return JsonRedactor.Default.Redact(document.RootElement) is { } changed ? Encoding.UTF8.GetString(changed.Span) : json;
    }
}
