using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>One rule.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Tools">Names and patterns of tools.</param>
/// <param name="Effect"><c>allow</c>, <c>ask</c> or <c>deny</c>.</param>
internal sealed record RuleModel(string Id, IReadOnlyList<string> Tools, string Effect)
{
    public ArgumentTest? When { get; init; }

    public ArgumentTest? Require { get; init; }

    public bool? Destructive { get; init; }

    public RateModel? Rate { get; init; }

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["tools"] = new JsonArray([.. Tools.Select(static tool => JsonValue.Create(tool))]), ["effect"] = Effect };
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
        RuleModel[] less = [this with { When = null }, this with { Require = null }, this with { Destructive = null }, this with { Rate = null }];
        return less.Where(item => item != this);
    }
}
