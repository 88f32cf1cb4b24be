using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Cli.Checks;

/// <summary>What would happen to a call of one listed tool, as far as its arguments do not matter.</summary>
/// <param name="Decision"><c>allow</c>, <c>ask</c> or <c>deny</c>.</param>
/// <param name="Why">The reason, in words of the guard.</param>
/// <param name="Rules">The rules that decide.</param>
internal sealed record ToolOutlook(string Decision, string Why, IReadOnlyList<string> Rules)
{
    private const string Allow = "allow";
    private const string Ask = "ask";
    private const string Deny = "deny";

    /// <summary>The same questions in the same order as the stages of a call (rules, pins, schema, consent); a test compares the two.</summary>
    public static ToolOutlook Of(ServerSettings settings, ToolEntry entry)
    {
        TargetRules rules = settings.ForTool(entry.Definition.Name);
        RuleOutcome outcome = rules.Unconditional;
        ToolOutlook found = OfRules(outcome, settings, entry) ?? OfDefinition(settings, entry, outcome) ?? OfEffect(settings, entry, outcome);
        if (found.Decision == Deny)
        {
            return found;
        }

        string conditions = string.Join(
            "; ",
            rules.Conditional.GroupBy(static rule => rule.Effect).OrderBy(static group => group.Key)
                .Where(group => group.Key is RuleEffect.Deny or RuleEffect.Ask || found.Decision == Ask)
                .Select(static group => $"some arguments: {WordOf(group.Key)} (rule {string.Join(", ", group.Select(static rule => rule.Id))})"));
        return conditions.Length == 0 ? found : found with { Why = $"{found.Why}; {conditions}" };
    }

    private static ToolOutlook? OfRules(RuleOutcome outcome, ServerSettings settings, ToolEntry entry) =>
        outcome.Effect == RuleEffect.Deny ? new(Deny, outcome.Reason, outcome.RuleIds) : null;

    private static ToolOutlook? OfDefinition(ServerSettings settings, ToolEntry entry, RuleOutcome outcome)
    {
        if (!entry.Name.IsUsable)
        {
            return new(Deny, $"its name may not be used ({entry.Name.Fault.ToString().ToLowerInvariant()})", []);
        }

        FlagAction flagged = CatalogStage.ActionOf(settings, entry.Findings);
        string flags = string.Join(", ", ContentFlagNames.Of((ContentFlags)(int)entry.Findings));
        if (flagged == FlagAction.Deny)
        {
            return new(Deny, $"its definition is flagged {flags}", []);
        }

        switch (entry.Pin)
        {
            case ToolPinState.Refused:
                return new(Deny, "a person refused this definition", []);
            case ToolPinState.Unavailable:
                return new(Deny, "the pins of this server are lost, damaged or out of reach", []);
            case ToolPinState.Changed when entry.IsPinnedByPolicy:
                return new(Deny, "its definition is not the one that the policy pins", []);
        }

        if (!entry.InputSchema.IsCompiled)
        {
            return new(Deny, $"its inputSchema is refused ({entry.InputSchema.Rejection.Code})", []);
        }

        if (entry.OutputSchema is { IsCompiled: false } output)
        {
            return new(Deny, $"its outputSchema is refused ({output.Rejection.Code})", []);
        }

        return entry.Pin switch
        {
            ToolPinState.Changed => new(Ask, "its definition is not as it was approved; hidden from models until a person agrees", []),
            ToolPinState.New when !(outcome.Effect == RuleEffect.Allow && !outcome.IsGlobAllow) => new(Ask, "it appeared after the pins were made", outcome.RuleIds),
            _ when flagged == FlagAction.Ask => new(Ask, $"its definition is flagged {flags}", outcome.RuleIds),
            _ => null,
        };
    }

    private static ToolOutlook OfEffect(ServerSettings settings, ToolEntry entry, RuleOutcome outcome)
    {
        bool destructive = ToolDanger.Weigh(entry.Hints, settings.Trusted, outcome.Destructive).IsDestructive;
        return outcome.Effect switch
        {
            RuleEffect.Allow => new(Allow, outcome.Reason, outcome.RuleIds),
            RuleEffect.Ask => new(Ask, outcome.Reason, outcome.RuleIds),
            _ when settings.Limits.Confirmation == ConfirmationMode.Always => new(Ask, "no rule matches, and every call is confirmed", []),
            _ when destructive => new(Ask, "no rule matches, and it counts as destructive", []),
            _ => new(Allow, "no rule matches, and it counts as harmless", []),
        };
    }

    private static string WordOf(RuleEffect effect) => effect switch
    {
        RuleEffect.Deny => Deny,
        RuleEffect.Ask => Ask,
        _ => Allow,
    };
}
