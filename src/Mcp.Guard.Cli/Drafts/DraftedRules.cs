using Mcp.Guard.Cli.Servers;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>What is decided about a server's tools: one rule a kind, and the pins.</summary>
internal sealed class DraftedRules
{
    private DraftedRules(IReadOnlyList<ToolDraft> tools, IReadOnlyList<DraftedRule> rules, string? instructionsFingerprint)
    {
        Tools = tools;
        Rules = rules;
        InstructionsFingerprint = instructionsFingerprint;
    }

    /// <summary>Every tool that the guard can name, in the order of the rules and then by name.</summary>
    public IReadOnlyList<ToolDraft> Tools { get; }

    public IReadOnlyList<DraftedRule> Rules { get; }

    public string? InstructionsFingerprint { get; }

    /// <summary>Tools that cannot stand in a policy: their names are none. The guard refuses them by itself.</summary>
    public IReadOnlyList<ToolDraft> Unusable { get; private init; } = [];

    /// <summary>True unless every tool says that it only reads: then the box and the roots stay read-only.</summary>
    public bool Writes => Tools.Any(static tool => tool.Kind is not (ToolKind.ReadOnly or ToolKind.Flagged));

    /// <summary>What a call of a tool would lead to.</summary>
    public string EffectOf(ToolDraft tool) => Rules.FirstOrDefault(rule => rule.Selects == "tools" && rule.Patterns.Contains(tool.Name, StringComparer.Ordinal))?.Effect ?? "deny";

    /// <summary>Decides.</summary>
    /// <param name="probed">What the server offered.</param>
    /// <param name="allowReadOnly">The user's word that tools may pass which say that they only read.</param>
    /// <param name="isIsolated">Whether a box without a network holds the server.</param>
    public static DraftedRules Of(ProbedServer probed, bool allowReadOnly, bool isIsolated)
    {
        ToolDraft[] all = [.. probed.Tools.Select(ToolDraft.Of).OrderBy(static tool => tool.Kind).ThenBy(static tool => tool.Name, StringComparer.Ordinal)];
        var named = probed.Tools.Where(static tool => tool.Name.IsUsable).Select(static tool => tool.Definition.Name).ToHashSet(StringComparer.Ordinal);
        ToolDraft[] tools = [.. all.Where(tool => named.Contains(tool.Name))];
        var rules = new List<DraftedRule>();
        foreach (IGrouping<ToolKind, ToolDraft> group in tools.GroupBy(static tool => tool.Kind))
        {
            // A tool that may reach out passes without a question only where the box has no network.
            ToolDraft[] allowed = group.Key == ToolKind.ReadOnly && allowReadOnly ? [.. group.Where(tool => isIsolated || !tool.ReachesOut)] : [];
            if (allowed.Length > 0)
            {
                rules.Add(RuleOf("read-only", group.Key, "allow", allowed, "They say that they only read, and the one who wrote this policy let them pass without a question."));
            }

            ToolDraft[] rest = [.. group.Except(allowed)];
            if (rest.Length > 0)
            {
                (string id, string effect, string description) = WordsOf(group.Key);
                rules.Add(RuleOf(allowed.Length > 0 ? id + "-asked" : id, group.Key, effect, rest, description));
            }
        }

        if (probed.HasResources)
        {
            rules.Add(new DraftedRule { Id = "resources", Selects = "resources", Patterns = ["*"], Effect = "ask", Description = "Reading a resource asks. Allow the URIs that were reviewed in a rule of their own, and narrow this one." });
        }

        if (probed.HasPrompts)
        {
            rules.Add(new DraftedRule { Id = "prompts", Selects = "prompts", Patterns = ["*"], Effect = "ask", Description = "Taking a prompt of the server's asks." });
        }

        return new(tools, rules, probed.Pins.InstructionsFingerprint) { Unusable = [.. all.Where(tool => !named.Contains(tool.Name))] };
    }

    private static DraftedRule RuleOf(string id, ToolKind kind, string effect, ToolDraft[] tools, string description) => new()
    {
        Id = id,
        Description = description,
        Patterns = [.. tools.Select(static tool => tool.Name)],
        Effect = effect,
        IsDestructive = kind is ToolKind.DangerousName or ToolKind.Unknown or ToolKind.Destructive,
        OnlyReads = kind == ToolKind.ReadOnly,
        Paths = [.. tools.SelectMany(static tool => tool.Paths).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
    };

    private static (string Id, string Effect, string Description) WordsOf(ToolKind kind) => kind switch
    {
        ToolKind.Flagged => ("flagged", "deny", "Their definitions hide or smuggle text, or cannot be used. Read them before you take one out of here."),
        ToolKind.DangerousName => ("dangerous", "ask", "Their names say that they run programs, destroy, pay, send, change rights or handle credentials."),
        ToolKind.Unknown => ("unknown", "ask", "The server says nothing of what they do, which means that they may do anything."),
        ToolKind.Destructive => ("destructive", "ask", "They can destroy or overwrite, or do not say that they do not."),
        ToolKind.OpenWorld => ("open-world", "ask", "They reach systems beyond their server: what they are given may leave the machine."),
        ToolKind.Writing => ("writing", "ask", "They change something, and say that they destroy nothing."),
        _ => ("read-only", "ask", "They say that they only read. Write \"allow\" once you have read what they do; pinned as they are, they then pass without a question."),
    };
}
