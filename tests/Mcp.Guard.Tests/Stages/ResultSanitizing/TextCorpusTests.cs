using System.Text.Json;
using System.Text.RegularExpressions;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

/// <summary>Every case of text.json that a correct guard must agree with, by id.</summary>
[TestFixture]
internal sealed class TextCorpusTests
{
    private static IEnumerable<TestCaseData> Cases()
    {
        using JsonDocument document = CorpusFile.Open("text.json");
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (item.GetProperty("level").GetString() is "must" or "contract")
            {
                yield return new TestCaseData(item.Clone()).SetArgDisplayNames(item.GetProperty("id").GetString()!);
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Sanitize_CorpusCase_MeetsItsContract(JsonElement item)
    {
        string text = JsonText.GetString(item.GetProperty("text"));
        SanitizerResult result = Sanitize(item, text);
        JsonElement expect = item.GetProperty("expect");
        if (expect.TryGetProperty("unchanged", out JsonElement unchanged) && unchanged.GetBoolean())
        {
            Assert.That(result.Text, Is.SameAs(text));
            Assert.That(result.Flags, Is.EqualTo(ContentFlags.None));
            return;
        }

        IReadOnlyList<string> flags = ContentFlagNames.Of(result.Flags);
        foreach (JsonElement flag in expect.GetProperty("flags").EnumerateArray())
        {
            Assert.That(flags, Does.Contain(flag.GetString()));
        }

        if (expect.TryGetProperty("sanitized", out JsonElement sanitized))
        {
            Assert.That(result.Text, Is.EqualTo(JsonText.GetString(sanitized)));
        }

        if (expect.TryGetProperty("mustNotFetch", out JsonElement host))
        {
            var live = new Regex(@"(https?:)?//[^\s)>""]*" + Regex.Escape(host.GetString()!), RegexOptions.IgnoreCase | RegexOptions.NonBacktracking);
            Assert.That(live.IsMatch(result.Text), Is.False, result.Text);
        }

        Assert.That(result.Text, Has.Length.LessThanOrEqualTo(4 * Math.Max(1, text.Length)));
    }

    [TestCaseSource(nameof(Cases))]
    public void Sanitize_SanitizedCorpusCase_ChangesNothing(JsonElement item)
    {
        string once = Sanitize(item, JsonText.GetString(item.GetProperty("text"))).Text;
        Assert.That(Sanitize(item, once).Text, Is.SameAs(once));
    }

    private static SanitizerResult Sanitize(JsonElement item, string text)
    {
        string[] peers = item.TryGetProperty("peers", out JsonElement list) ? [.. list.EnumerateArray().Select(peer => peer.GetString()!)] : [];
        return TextSanitizer.Default.Sanitize(text, TextSurfaces.Parse(item.GetProperty("surface").GetString()!), peers);
    }
}
