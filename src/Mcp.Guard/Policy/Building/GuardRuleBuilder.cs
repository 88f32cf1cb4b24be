using System.Text.Json.Nodes;
using Mcp.Guard.Policy;

namespace Mcp.Guard;

/// <summary>Says what one rule selects and what it sets. Used by <see cref="GuardServerBuilder"/>.</summary>
public sealed class GuardRuleBuilder
{
    internal GuardRuleBuilder(string effect) => Json["effect"] = JsonValue.Create(effect);

    internal JsonObject Json { get; } = [];

    /// <summary>Selects tools.</summary>
    /// <param name="patterns">Names; <c>*</c> stands for any text.</param>
    public GuardRuleBuilder Tools(params IEnumerable<string> patterns) => Add("tools", patterns);

    /// <summary>Selects resources.</summary>
    /// <param name="patterns">URIs; <c>*</c> stands for any text.</param>
    public GuardRuleBuilder Resources(params IEnumerable<string> patterns) => Add("resources", patterns);

    /// <summary>Selects prompts.</summary>
    /// <param name="patterns">Names; <c>*</c> stands for any text.</param>
    public GuardRuleBuilder Prompts(params IEnumerable<string> patterns) => Add("prompts", patterns);

    /// <summary>Matches only calls whose arguments a JSON Schema accepts.</summary>
    /// <param name="schema">JSON text of the schema.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardRuleBuilder When(string schema) => With("when", schema);

    /// <summary>Denies calls whose arguments a JSON Schema does not accept.</summary>
    /// <param name="schema">JSON text of the schema.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardRuleBuilder Require(string schema) => With("require", schema);

    /// <summary>Says whether the tools are destructive. One that nothing is said about counts as destructive.</summary>
    /// <param name="destructive">False for tools that change nothing that matters.</param>
    public GuardRuleBuilder Destructive(bool destructive = true) => Set("destructive", JsonValue.Create(destructive));

    /// <summary>How many calls that the rule matches each caller may make.</summary>
    /// <param name="permits">0 denies every call.</param>
    /// <param name="per">More than zero, at most one day.</param>
    public GuardRuleBuilder RateLimit(long permits, TimeSpan per) => Set("rateLimit", PolicyJson.RateLimit(permits, per));

    /// <summary>How long such a call may take.</summary>
    /// <param name="timeout">1 millisecond to 1 day.</param>
    public GuardRuleBuilder Timeout(TimeSpan timeout) => Set("timeout", JsonValue.Create(PolicyText.Duration(timeout)));

    /// <summary>The longest time to the reply, which each progress notification starts again, up to a cap.</summary>
    /// <param name="timeout">1 millisecond to 1 day.</param>
    /// <param name="withProgress">The time in all whatever the progress: <paramref name="timeout"/> to 1 day.</param>
    public GuardRuleBuilder Timeout(TimeSpan timeout, TimeSpan withProgress) =>
        Timeout(timeout).Set("timeoutWithProgress", JsonValue.Create(PolicyText.Duration(withProgress)));

    /// <summary>Arguments that are paths, whatever they look like.</summary>
    /// <param name="pointers">JSON Pointers; a token <c>*</c> stands for every member or element.</param>
    public GuardRuleBuilder Paths(params IEnumerable<string> pointers) => Set("paths", PolicyJson.Texts(pointers));

    /// <summary>URLs that arguments may hold.</summary>
    /// <param name="patterns">URL patterns, as in <c>https://*.example.com/v1</c>.</param>
    public GuardRuleBuilder Urls(params IEnumerable<string> patterns) => Set("urls", PolicyJson.Texts(patterns));

    /// <summary>Sets any other key of the rule.</summary>
    /// <param name="key">A key of a rule in the document, such as <c>results</c>.</param>
    /// <param name="json">Its value as JSON text.</param>
    /// <exception cref="ArgumentException">The text is not JSON, or the key is set already.</exception>
    public GuardRuleBuilder With(string key, string json) => Set(key, PolicyJson.Parse(json));

    private GuardRuleBuilder Add(string key, IEnumerable<string> patterns)
    {
        ArgumentNullException.ThrowIfNull(patterns);
        JsonArray list = PolicyJson.List(Json, key);
        foreach (string pattern in patterns)
        {
            list.Add((JsonNode?)JsonValue.Create(pattern));
        }

        return this;
    }

    private GuardRuleBuilder Set(string key, JsonNode? value)
    {
        PolicyJson.Add(Json, key, value);
        return this;
    }
}
