namespace Mcp.Guard.Cli.Drafts;

/// <summary>One rule of a policy that is being written.</summary>
internal sealed record DraftedRule
{
    public required string Id { get; init; }

    /// <summary>The comment that the policy carries.</summary>
    public required string Description { get; init; }

    /// <summary><c>tools</c>, <c>resources</c> or <c>prompts</c>.</summary>
    public string Selects { get; init; } = "tools";

    /// <summary>Exact names, or <c>*</c>.</summary>
    public required IReadOnlyList<string> Patterns { get; init; }

    public required string Effect { get; init; }

    public bool IsDestructive { get; init; }

    /// <summary>Arguments that are paths.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Whether the tools may touch roots that are only read.</summary>
    public bool OnlyReads { get; init; }
}
