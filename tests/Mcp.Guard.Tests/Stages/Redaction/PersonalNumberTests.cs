using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>Numbers of persons: published test numbers of issuers and registries, and their nearest neighbours that are none.</summary>
[TestFixture]
internal sealed class PersonalNumberTests
{
    [TestCase("4222222222222")]
    [TestCase("4111111111111111")]
    [TestCase("5105105105105100")]
    [TestCase("5555555555554444")]
    [TestCase("2223003122003222")]
    [TestCase("378282246310005")]
    [TestCase("341111111111111")]
    [TestCase("30569309025904")]
    [TestCase("38520000023237")]
    [TestCase("36700102000000")]
    [TestCase("6011111111111117")]
    [TestCase("6500000000000002")]
    [TestCase("6200000000000005")]
    [TestCase("3530111333300000")]
    [TestCase("4111 1111 1111 1112")]
    [TestCase("4111-1111-1111-1112")]
    [TestCase("3782 822463 10005")]
    public void Redact_Card_Goes(string number) => Assert.That(SecretRedactor.Default.Redact($"no {number}, ok"), Is.EqualTo("no [redacted:card], ok"));

    [TestCase("4111111111111112")]
    [TestCase("41111111111111111")]
    [TestCase("411111111111")]
    [TestCase("9111 1111 1111 1111")]
    [TestCase("1111111111111117")]
    [TestCase("6600000000000001")]
    [TestCase("4111 1111-1111 1111")]
    [TestCase("4111 1111 1111 1111a")]
    [TestCase("4111111111111111_a")]
    [TestCase("4111111111111111.5")]
    [TestCase("_4111111111111111")]
    [TestCase("a4111111111111111")]
    [TestCase("411 1111 1111 1111")]
    public void Redact_NumberThatIsNoCard_Stays(string number)
    {
        string text = $"no {number}, ok";
        Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));
    }

    [TestCase("DE89370400440532013000")]
    [TestCase("DE89 3704 0044 0532 0130 00")]
    [TestCase("GB82WEST12345698765432")]
    [TestCase("GB82 WEST 1234 5698 7654 32")]
    [TestCase("FR1420041010050500013M02606")]
    [TestCase("NL91ABNA0417164300")]
    [TestCase("ES9121000418450200051332")]
    [TestCase("CH9300762011623852957")]
    [TestCase("NO9386011117947")]
    [TestCase("MT84MALT011000012345MTLCAST001S")]
    public void Redact_AccountNumber_Goes(string number) => Assert.That(SecretRedactor.Default.Redact($"no {number}, ok"), Is.EqualTo("no [redacted:iban], ok"));

    [TestCase("DE88370400440532013000")]
    [TestCase("DE8937040044053201300")]
    [TestCase("DE893704004405320130000")]
    [TestCase("DE89370400440532013000X")]
    [TestCase("XDE89370400440532013000")]
    [TestCase("XX89370400440532013000")]
    [TestCase("de89370400440532013000")]
    [TestCase("DE89  3704 0044 0532 0130 00")]
    [TestCase("GB82west12345698765432")]
    public void Redact_NumberThatIsNoAccount_Stays(string number)
    {
        string text = $"no {number}, ok";
        Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));
    }

    [TestCase("IBAN: DE88370400440532013000", "IBAN: [redacted:iban]")]
    [TestCase("iban DE88370400440532013000", "iban [redacted:iban]")]
    public void Redact_AccountNumberBehindItsWord_NeedsNoCheckDigits(string text, string expected) => Assert.That(SecretRedactor.Default.Redact(text), Is.EqualTo(expected));

    [TestCase("no 078-05-1120")]
    [TestCase("078-05-1120.")]
    [TestCase("(899-99-9999)")]
    public void Redact_SocialSecurityNumber_Goes(string text) => Assert.That(SecretRedactor.Default.Redact(text), Does.Contain("[redacted:ssn]").And.Not.Match("[0-9]"));

    [TestCase("000-05-1120")]
    [TestCase("666-05-1120")]
    [TestCase("900-05-1120")]
    [TestCase("078-00-1120")]
    [TestCase("078-05-0000")]
    [TestCase("078-05-112")]
    [TestCase("078-05-11201")]
    [TestCase("078-05-1120a")]
    [TestCase("078-05-1120-1")]
    [TestCase("1078-05-1120")]
    [TestCase("1-078-05-1120")]
    [TestCase("1.078-05-1120")]
    [TestCase("a078-05-1120")]
    [TestCase("078-0x-1120")]
    [TestCase("078-05-11x0")]
    [TestCase("078-05.1120")]
    public void Redact_NumberThatIsNoSocialSecurityNumber_Stays(string text) => Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));

    [TestCase(8, 35, true)]
    [TestCase(10, 35, true)]
    [TestCase(7, 35, false)]
    [TestCase(11, 35, false)]
    [TestCase(9, 32, true)]
    [TestCase(9, 31, false)]
    [TestCase(9, 48, true)]
    [TestCase(9, 49, false)]
    public void Redact_BotToken_IsToldByTheLengthsOfItsParts(int digits, int body, bool secret)
    {
        string text = $"x {"12345678901"[..digits]}:{string.Concat(Enumerable.Repeat("Ab3-_", 10))[..body]} y";
        Assert.That(SecretRedactor.Default.Redact(text), secret ? Is.EqualTo("x [redacted:telegram] y") : Is.SameAs(text));
    }

    [TestCase("a@b.co", "[redacted:mail]")]
    [TestCase("to a.b+c%d_e-f@mail.example.org.", "to [redacted:mail].")]
    [TestCase("(a@b-c.example)", "([redacted:mail])")]
    [TestCase("+49 (30) 123-45.67 now", "[redacted:telephone] now")]
    [TestCase("+12345678", "[redacted:telephone]")]
    [TestCase("+123456789012345", "[redacted:telephone]")]
    [TestCase("call:+4930123456.", "call:[redacted:telephone].")]
    public void Redact_ContactAsAnOption_Goes(string text, string expected)
    {
        Assert.That(new SecretRedactor(contacts: true).Redact(text), Is.EqualTo(expected));
        Assert.That(SecretRedactor.Default.Redact(text), Is.SameAs(text));
    }

    [TestCase("a@b.c")]
    [TestCase("@b.com")]
    [TestCase("a@.com")]
    [TestCase("a@bcom")]
    [TestCase("a @b.com")]
    [TestCase("+1234567")]
    [TestCase("+1234567890123456")]
    [TestCase("x+4930123456")]
    [TestCase("+ 4930123456")]
    [TestCase("1+1 = 2")]
    public void Redact_NoContact_Stays(string text) => Assert.That(new SecretRedactor(contacts: true).Redact(text), Is.SameAs(text));
}
