using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>One rule.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Tools">Names and patterns of tools.</param>
/// <param name="Effect"><c>allow</c>, <c>ask</c> or <c>deny</c>.</param>
internal sealed record RuleModel(string Id, IReadOnlyList<string> Tools, string Effect)
{
    /// <summary>Patterns of resources.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>Names and patterns of prompts.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    public IReadOnlyList<string> PatternsOf(TargetModel kind) => kind switch { TargetModel.Resource => Resources, TargetModel.Prompt => Prompts, _ => Tools };

    public ArgumentTest? When { get; init; }

    public ArgumentTest? Require { get; init; }

    public bool? Destructive { get; init; }

    public RateModel? Rate { get; init; }

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["effect"] = Effect };
        foreach ((string key, IReadOnlyList<string> patterns) in ((string, IReadOnlyList<string>)[])[("tools", Tools), ("resources", Resources), ("prompts", Prompts)])
        {
            if (patterns.Count > 0)
            {
                json[key] = new JsonArray([.. patterns.Select(static pattern => JsonValue.Create(pattern))]);
            }
        }

        if (When is not null)
        {
            json["when"] = When.ToSchema();
        }

        if (Require is not null)
        {
            json["require"] = Require.ToSchema();
        }

        if (Destructive is { } destructive)
        {
            json["destructive"] = destructive;
        }

        if (Rate is not null)
        {
            json["rateLimit"] = Rate.ToJson();
        }

        return json;
    }

    public IEnumerable<RuleModel> Smaller()
    {
        RuleModel[] less = [this with { When = null }, this with { Require = null }, this with { Destructive = null }, this with { Rate = null }, this with { Resources = [], Prompts = [] }];
        return less.Where(item => item != this);
    }
}
