using System.Globalization;
using System.Text;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A policy, the tools of a server, and what happens one after the other: the input of both deciders.</summary>
internal sealed record Scenario(PolicyModel Policy, IReadOnlyList<ToolModel> Tools, IReadOnlyList<Step> Steps)
{
    /// <summary>The scenario as text that a person can read and a test can repeat.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append("policy ").AppendLine(Policy.ToJson());
        foreach (ToolModel tool in Tools)
        {
            text.Append(CultureInfo.InvariantCulture, $"tool {tool}").AppendLine();
        }

        foreach (Step step in Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"step {step}").AppendLine();
        }

        return text.ToString();
    }

    /// <summary>The same with one thing less or simpler, for every such thing.</summary>
    public IEnumerable<Scenario> Smaller()
    {
        for (int i = 0; i < Steps.Count; i++)
        {
            yield return this with { Steps = [.. Steps.Where((_, at) => at != i)] };
        }

        for (int i = 0; i < Policy.Rules.Count; i++)
        {
            yield return this with { Policy = Policy with { Rules = [.. Policy.Rules.Where((_, at) => at != i)] } };
            foreach (RuleModel rule in Policy.Rules[i].Smaller())
            {
                yield return this with { Policy = Policy with { Rules = [.. Policy.Rules.Select((old, at) => at == i ? rule : old)] } };
            }
        }

        foreach (PolicyModel policy in Policy.Smaller())
        {
            yield return this with { Policy = policy };
        }
    }
}
