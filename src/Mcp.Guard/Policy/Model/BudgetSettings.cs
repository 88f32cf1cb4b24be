namespace Mcp.Guard.Policy;

/// <summary>What one session may spend in all. Null is without bound.</summary>
internal sealed record BudgetSettings
{
    /// <summary>Tool calls in a session.</summary>
    public long? Calls { get; init; }

    /// <summary>Calls of one tool in a session.</summary>
    public long? CallsPerTool { get; init; }

    /// <summary>So many identical calls in <see cref="RepeatWindow"/> ask a person: a loop breaker. Default 10.</summary>
    public int Repeats { get; init; } = 10;

    /// <summary>Default one minute.</summary>
    public TimeSpan RepeatWindow { get; init; } = TimeSpan.FromMinutes(1);
}
