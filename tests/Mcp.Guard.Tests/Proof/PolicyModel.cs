using System.Text.Json.Nodes;

namespace Mcp.Guard.Tests.Proof;

/// <summary>The part of a policy that the reference decider knows.</summary>
internal sealed record PolicyModel
{
    /// <summary><c>"confirmation": "always"</c>.</summary>
    public bool ConfirmAlways { get; init; }

    /// <summary>The server's rate; null leaves the default, 3 a second and caller.</summary>
    public RateModel? Rate { get; init; }

    public long? Calls { get; init; }

    public long? CallsPerTool { get; init; }

    /// <summary>Identical calls in a minute before the next one asks; null leaves the default, 10.</summary>
    public int? Repeats { get; init; }

    public bool RequireCaller { get; init; }

    public bool Trusted { get; init; }

    /// <summary>Whether the server has a root; without one no path is permitted.</summary>
    public bool HasRoot { get; init; } = true;

    /// <summary>Calls that run at the same time; nothing waits.</summary>
    public int MaxConcurrent { get; init; } = 16;

    public int MaxConcurrentPerCaller { get; init; } = 8;

    public IReadOnlyList<RuleModel> Rules { get; init; } = [];

    /// <summary>Definitions that the policy pins, in place of the pin store; none where there are none.</summary>
    public IReadOnlyList<ToolModel> Pins { get; init; } = [];

    /// <summary>The keys of the server in the policy document.</summary>
    public IEnumerable<(string Key, JsonNode Value)> Keys(string root)
    {
        if (ConfirmAlways)
        {
            yield return ("confirmation", JsonValue.Create("always"));
        }

        if (Rate is not null)
        {
            yield return ("rateLimit", Rate.ToJson());
        }

        var budgets = new JsonObject();
        if (Calls is { } calls)
        {
            budgets["calls"] = calls;
        }

        if (CallsPerTool is { } perTool)
        {
            budgets["callsPerTool"] = perTool;
        }

        if (Repeats is { } repeats)
        {
            budgets["repeats"] = new JsonObject { ["permits"] = repeats, ["per"] = "1m" };
        }

        if (budgets.Count > 0)
        {
            yield return ("budgets", budgets);
        }

        if (RequireCaller)
        {
            yield return ("requireCaller", JsonValue.Create(true));
        }

        if (Trusted)
        {
            yield return ("trusted", JsonValue.Create(true));
        }

        if (HasRoot)
        {
            yield return ("roots", new JsonArray(JsonValue.Create(root)));
        }

        if (Pins.Count > 0)
        {
            yield return ("pins", new JsonObject(Pins.Select(static tool => KeyValuePair.Create(tool.Name, (JsonNode?)JsonValue.Create(tool.Fingerprint)))));
        }

        yield return ("maxConcurrentCalls", JsonValue.Create(MaxConcurrent));
        yield return ("maxConcurrentCallsPerCaller", JsonValue.Create(MaxConcurrentPerCaller));
        yield return ("maxQueuedCalls", JsonValue.Create(0));
        var rules = new JsonObject();
        foreach (RuleModel rule in Rules)
        {
            rules[rule.Id] = rule.ToJson();
        }

        yield return ("rules", rules);
    }

    public string ToJson() => new JsonObject(Keys("ROOT").Select(static pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))).ToJsonString();

    public IEnumerable<PolicyModel> Smaller()
    {
        PolicyModel plain = new();
        PolicyModel[] less =
        [
            this with { ConfirmAlways = plain.ConfirmAlways },
            this with { Rate = new RateModel(1_000_000, TimeSpan.FromSeconds(1), null, null) },
            this with { Calls = null },
            this with { CallsPerTool = null },
            this with { Repeats = null },
            this with { RequireCaller = false },
            this with { Trusted = false },
            this with { Pins = [] },
            this with { MaxConcurrent = plain.MaxConcurrent, MaxConcurrentPerCaller = plain.MaxConcurrentPerCaller },
        ];
        return less.Where(item => !item.ToJson().Equals(ToJson(), StringComparison.Ordinal));
    }
}
