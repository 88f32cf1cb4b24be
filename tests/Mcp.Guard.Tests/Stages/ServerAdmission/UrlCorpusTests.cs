using System.Net;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>Every case of corpus/urls.json, by id.</summary>
[TestFixture]
internal sealed class UrlCorpusTests
{
    private static readonly JsonDocument Corpus = CorpusFile.Open("urls.json");

    public static IEnumerable<TestCaseData> UrlCases() => Cases("url", "dns");

    public static IEnumerable<TestCaseData> RedirectCases() => Cases("redirect");

    public static IEnumerable<TestCaseData> CommandCases() => Cases("stdio");

    [TestCaseSource(nameof(UrlCases))]
    public void Check_UrlCase_DecidesAsStated(JsonElement item)
    {
        UrlAllowlist allowlist = Allowlist(item);
        string url = JsonText.GetString(item.GetProperty("url"));
        UrlVerdict verdict = allowlist.Check(url);
        if (verdict.IsAllowed && item.TryGetProperty("resolves", out JsonElement resolves))
        {
            foreach (JsonElement answer in resolves.EnumerateArray())
            {
                verdict = allowlist.CheckAnswers(url, answer.EnumerateArray().Select(address => IPAddress.Parse(address.GetString()!)).ToArray());
                if (!verdict.IsAllowed)
                {
                    break;
                }
            }
        }

        AssertVerdict(item, verdict);
    }

    [TestCaseSource(nameof(RedirectCases))]
    public void CheckRedirect_Chain_DecidesAsStated(JsonElement item)
    {
        UrlAllowlist allowlist = Allowlist(item);
        string[] chain = item.GetProperty("chain").EnumerateArray().Select(JsonText.GetString).ToArray();
        string current = chain[0];
        UrlVerdict verdict = chain.Length - 1 > UrlAllowlist.MaxRedirects ? UrlVerdict.Deny(UrlDenial.TooManyRedirects) : allowlist.Check(current);
        for (int i = 1; i < chain.Length && verdict.IsAllowed; i++)
        {
            verdict = allowlist.CheckRedirect(current, chain[i], out current);
        }

        AssertVerdict(item, verdict);
    }

    [TestCaseSource(nameof(CommandCases))]
    public void Check_CommandCase_DecidesAsStated(JsonElement item)
    {
        var entries = new List<CommandEntry>();
        foreach (JsonElement entry in item.GetProperty("allowlist").EnumerateArray())
        {
            var arguments = new List<CommandArgument>();
            foreach (JsonElement argument in entry.GetProperty("args").EnumerateArray())
            {
                if (argument.ValueKind == JsonValueKind.Object)
                {
                    Assert.That(CommandArgument.TryPackage(
                        argument.GetProperty("package").GetString()!, argument.GetProperty("version").GetString()!, out CommandArgument package, out _));
                    arguments.Add(package);
                }
                else
                {
                    arguments.Add(CommandArgument.Literal(argument.GetString()!));
                }
            }

            entries.Add(new CommandEntry(
                entry.GetProperty("command").GetString()!, arguments, entry.GetProperty("env").EnumerateArray().Select(name => name.GetString()!).ToArray()));
        }

        CommandVerdict verdict = new CommandAllowlist(entries).Check(
            JsonText.GetString(item.GetProperty("command")),
            item.GetProperty("args").EnumerateArray().Select(JsonText.GetString).ToArray(),
            item.GetProperty("env").EnumerateObject().Select(variable => KeyValuePair.Create(JsonText.GetName(variable), JsonText.GetString(variable.Value))).ToArray(),
            item.GetProperty("os").GetString() == "windows" ? PathFlavor.Windows : PathFlavor.Unix);
        Assert.That(verdict.IsAllowed, Is.EqualTo(item.GetProperty("expect").GetString() == "allow"), verdict.Message);
        Assert.That(verdict.Code, Is.EqualTo(verdict.IsAllowed ? null : "server-not-allowed"));
    }

    private static UrlAllowlist Allowlist(JsonElement item) => UrlAllowlist.Create(
        item.GetProperty("allowlist").EnumerateArray().Select(JsonText.GetString).ToArray(),
        item.TryGetProperty("allowPrivate", out JsonElement allow) && allow.GetBoolean());

    private static void AssertVerdict(JsonElement item, UrlVerdict verdict)
    {
        if (item.GetProperty("level").GetString() == "heuristic")
        {
            Assert.That(verdict.Message, Is.Not.Null);
            return;
        }

        Assert.That(verdict.IsAllowed, Is.EqualTo(item.GetProperty("expect").GetString() == "allow"), verdict.Message);
        Assert.That(verdict.Code, Is.EqualTo(verdict.IsAllowed ? null : "url-not-allowed"));
    }

    private static IEnumerable<TestCaseData> Cases(params string[] kinds)
    {
        foreach (JsonElement item in Corpus.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (kinds.Contains(item.GetProperty("kind").GetString(), StringComparer.Ordinal))
            {
                yield return new TestCaseData(item).SetArgDisplayNames(item.GetProperty("id").GetString()!);
            }
        }
    }
}
