using System.Globalization;
using System.Text;

namespace Mcp.Guard.Tests.Proof;

/// <summary>A policy, the tools of a server, and what happens one after the other: the input of both deciders.</summary>
internal sealed record Scenario(PolicyModel Policy, IReadOnlyList<ToolModel> Tools, IReadOnlyList<Step> Steps)
{
    /// <summary>What the policy says of a second server, or nothing: then there is one.</summary>
    public PolicyModel? Other { get; init; }

    /// <summary>The tools of the second server.</summary>
    public IReadOnlyList<ToolModel> OtherTools { get; init; } = [];

    /// <summary>The servers with what the policy says of each.</summary>
    public IReadOnlyDictionary<string, PolicyModel> Policies =>
        Other is null ? new Dictionary<string, PolicyModel> { ["test"] = Policy } : new Dictionary<string, PolicyModel> { ["test"] = Policy, ["other"] = Other };

    /// <summary>The servers with what each lists at first.</summary>
    public IEnumerable<(string Server, IReadOnlyList<ToolModel> Tools)> FirstLists => Other is null ? [("test", Tools)] : [("test", Tools), ("other", OtherTools)];

    /// <summary>The calls of tools of the first server alone, and whatever else happens.</summary>
    public Scenario OfToolsOfOneServer() => this with
    {
        Other = null,
        Steps = [.. Steps.Where(static step => step is not (Step.Call { Server: not "test" } or Step.Lists { Server: not "test" } or Step.Call { What.Kind: not TargetModel.Tool }))],
    };

    /// <summary>The scenario as text that a person can read and a test can repeat.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append("policy ").AppendLine(Policy.ToJson());
        foreach (ToolModel tool in Tools)
        {
            text.Append(CultureInfo.InvariantCulture, $"tool {tool}").AppendLine();
        }

        if (Other is not null)
        {
            text.Append("policy of other ").AppendLine(Other.ToJson());
            foreach (ToolModel tool in OtherTools)
            {
                text.Append(CultureInfo.InvariantCulture, $"tool of other {tool}").AppendLine();
            }
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

        if (Other is not null)
        {
            yield return this with { Other = null, Steps = [.. Steps.Where(static step => step is not (Step.Call { Server: not "test" } or Step.Lists { Server: not "test" }))] };
            foreach (PolicyModel policy in Other.Smaller())
            {
                yield return this with { Other = policy };
            }
        }

        foreach (PolicyModel policy in Policy.Smaller())
        {
            yield return this with { Policy = policy };
        }
    }
}
