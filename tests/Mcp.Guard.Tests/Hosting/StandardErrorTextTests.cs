using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>Secrets that the guard gave to a server do not come back in the log of its standard error, however they are cut into lines.</summary>
[TestFixture]
internal sealed class StandardErrorTextTests
{
    private const string Key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\r\nAQEFAASCBKcwggSjAgEAAoIB\nshort\n-----END KEY-----";

    private static readonly StandardErrorText s_text = new(new BuiltInContentSanitizer(), ["zq7-opaque-value-0001", Key, "abcdabcdabcdXYZ", "abc", "12345678"]);

    [TestCase("value zq7-opaque-value-0001 here")]
    [TestCase("{\"KEY\":\"-----BEGIN KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B\\r\\nAQEFAASCBKcwggSjAgEAAoIB\"}")]
    [TestCase("MIIEvQIBADANBgkqhkiG9w0B")]
    [TestCase("    AQEFAASCBKcwggSjAgEAAoIB")]
    [TestCase("long line that was cut: zq7-opaque-valu")]
    [TestCase("long line that was cut: zq7-opaq")]
    [TestCase("MIIEvQIBADANB")]
    [TestCase("cut in what repeats itself: abcdabcdab")]
    public void Clean_SecretWholeByLineOrCut_IsRedacted(string line)
    {
        string clean = s_text.Clean(line);
        Assert.That(clean, Does.Contain("secret").And.Not.Contain("opaq").And.Not.Contain("MIIEvQ").And.Not.Contain("AQEFAA").And.Not.Contain("abcdabcd"));
    }

    [TestCase("nothing here")]
    [TestCase("abc is too short to be told apart")]
    [TestCase("a short line of the key: short")]
    [TestCase("zq7-opa")]
    [TestCase("zq7-opaquE value")]
    [TestCase("")]
    public void Clean_OtherText_Stays(string line) => Assert.That(s_text.Clean(line), Is.EqualTo(line));

    [Test]
    public void Clean_LongLineOfBeginnings_LosesOnlyTheOneAtItsEnd()
    {
        string hostile = string.Concat(Enumerable.Repeat("abcdabcd", 4_000));
        string clean = s_text.Clean(hostile);
        Assert.That(clean, Does.StartWith(hostile[..^12]).And.Contain("secret").And.Not.EndWith("abcd"));
    }
}
