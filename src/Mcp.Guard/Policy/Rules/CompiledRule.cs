namespace Mcp.Guard.Policy;

/// <summary>One rule of a server, its schemas compiled.</summary>
internal sealed class CompiledRule
{
    public required string Id { get; init; }

    public required RuleEffect Effect { get; init; }

    public IReadOnlyList<Glob> Tools { get; init; } = [];

    public IReadOnlyList<Glob> Resources { get; init; } = [];

    public IReadOnlyList<Glob> Prompts { get; init; } = [];

    /// <summary>Decides only whether the rule matches; null matches always.</summary>
    public CompiledSchema? When { get; init; }

    /// <summary>Constrains the arguments of what the rule matches; null constrains nothing.</summary>
    public CompiledSchema? Require { get; init; }

    /// <summary>Canonical text of the schemas, for the revision.</summary>
    public string? WhenText { get; init; }

    public string? RequireText { get; init; }

    public bool? Destructive { get; init; }

    public RateLimitSetting? RateLimit { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>How far progress notifications may extend <see cref="Timeout"/>; null is not at all.</summary>
    public TimeSpan? TimeoutWithProgress { get; init; }

    public PathSettings? Paths { get; init; }

    public UrlSettings? Urls { get; init; }

    public ResultOverrides? Results { get; init; }
}
