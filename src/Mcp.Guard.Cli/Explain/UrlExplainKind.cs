using System.Net;
using System.Text.Json;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Cli.Explain;

/// <summary><c>explain url</c>: whether an allowlist permits a URL, the DNS answers given for it, or a chain of redirects.</summary>
internal sealed class UrlExplainKind : IExplainKind
{
    public string Name => "url";

    public void Answer(JsonElement input, Utf8JsonWriter output)
    {
        var allowlist = UrlAllowlist.Create(
            ExplainInput.Texts(ExplainInput.Required(input, "allowlist"), "allowlist"), ExplainInput.OptionalFlag(input, "allowPrivate"));
        UrlVerdict verdict = ExplainInput.OptionalTexts(input, "chain") is { } chain
            ? CheckChain(allowlist, chain)
            : CheckUrl(allowlist, ExplainInput.Text(input, "url"), input);

        output.WriteString("decision", verdict.IsAllowed ? "allow" : "deny");
        output.WriteString("code", verdict.Code);
        output.WriteString("message", verdict.IsAllowed ? null : verdict.Message);
        ExplainInput.WriteProblems(output, "droppedEntries", "allowlist", allowlist.Problems);
    }

    private static UrlVerdict CheckUrl(UrlAllowlist allowlist, string url, JsonElement input)
    {
        UrlVerdict verdict = allowlist.Check(url);
        if (!verdict.IsAllowed || !input.TryGetProperty("resolves", out JsonElement resolves))
        {
            return verdict;
        }

        if (resolves.ValueKind != JsonValueKind.Array || resolves.GetArrayLength() == 0)
        {
            throw new ExplainInputException("'resolves' must be a list of at least one DNS answer");
        }

        foreach (JsonElement answer in resolves.EnumerateArray())
        {
            // What is no address cannot be connected to: it counts as the unspecified one, which is never permitted.
            List<IPAddress> addresses = ExplainInput.Texts(answer, "resolves").ConvertAll(
                text => IPAddress.TryParse(text, out IPAddress? address) ? address : IPAddress.None);
            verdict = allowlist.CheckAnswers(url, addresses.ToArray());
            if (!verdict.IsAllowed)
            {
                return verdict;
            }
        }

        return verdict;
    }

    private static UrlVerdict CheckChain(UrlAllowlist allowlist, List<string> chain)
    {
        if (chain.Count == 0)
        {
            throw new ExplainInputException("'chain' must hold at least one URL");
        }

        if (chain.Count - 1 > UrlAllowlist.MaxRedirects)
        {
            return UrlVerdict.Deny(UrlDenial.TooManyRedirects);
        }

        string current = chain[0];
        UrlVerdict verdict = allowlist.Check(current);
        for (int i = 1; i < chain.Count && verdict.IsAllowed; i++)
        {
            verdict = allowlist.CheckRedirect(current, chain[i], out current);
        }

        return verdict;
    }
}
