using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>The pairs of consent-args.json, each by its id, through the whole guard: what a consent to one argument object lets through.</summary>
[TestFixture]
internal sealed class ConsentArgumentsTests
{
    public static IEnumerable<TestCaseData> Pairs()
    {
        using JsonDocument document = CorpusFile.Open("consent-args.json");
        foreach (JsonElement pair in document.RootElement.GetProperty("pairs").EnumerateArray())
        {
            yield return new TestCaseData(JsonText.GetString(pair.GetProperty("a")), JsonText.GetString(pair.GetProperty("b")), pair.GetProperty("expect").GetString())
                .SetArgDisplayNames(pair.GetProperty("id").GetString()!);
        }
    }

    [TestCaseSource(nameof(Pairs))]
    public async Task Evaluate_PairOfTheCorpus_ConsentHoldsForTheSameOnly(string a, string b, string expect)
    {
        await using var guard = new GuardFixture(settings =>
        {
            settings.Ask("ask", rule => rule.Tools("*").With("paths", """{"detect":"declared"}"""));
            settings.With("rateLimit", """{"permits":1000,"per":"1s"}""");
        });
        await guard.Host.StartAsync(default);
        GuardConnection connection = guard.Guard.OpenConnection("test");
        await ListAsync(guard, connection);
        guard.Consent.Then(request => ConsentAnswer.AllowTheseArguments(request));

        GuardEvaluation first = await CallAsync(guard, connection, a);
        if (expect == "reject")
        {
            Assert.That(first.Denial?.Code, Is.EqualTo(GuardDenialCodes.ArgumentsMalformed));
            Assert.That(guard.Consent.Requests, Is.Empty, "refused before any prompt");
            return;
        }

        Assert.That(first.IsAllowed, Is.True);
        GuardEvaluation again = await CallAsync(guard, connection, a);
        Assert.That(again.IsAllowed, Is.True, "the consent holds for what it was given for");
        GuardEvaluation second = await CallAsync(guard, connection, b);
        Assert.That(second.IsAllowed, Is.EqualTo(expect == "same"));
        Assert.That(guard.Consent.Requests, Has.Count.EqualTo(expect == "same" ? 1 : 2));
    }

    private static async Task ListAsync(GuardFixture guard, GuardConnection connection)
    {
        GuardEvaluation listing = await guard.Guard.Policy.EvaluateAsync(connection.CreateRequest("tools/list", "{}"u8));
        using JsonDocument tools = JsonDocument.Parse("""{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}""");
        await listing.CompleteAsync(tools.RootElement);
    }

    private static ValueTask<GuardEvaluation> CallAsync(GuardFixture guard, GuardConnection connection, string arguments) =>
        guard.Guard.Policy.EvaluateAsync(connection.CreateRequest("tools/call", Encoding.UTF8.GetBytes($$"""{"name":"echo","arguments":{{arguments}}}""")));
}
