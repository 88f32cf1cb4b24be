namespace Mcp.Guard.Stages.Budgets;

/// <summary>What one session may spend. Null means no limit.</summary>
internal sealed record BudgetLimits
{
    /// <summary>The recommended limits: only the loop breaker.</summary>
    public static readonly BudgetLimits Default = new();

    /// <summary>Calls of a session in all; no limit by default.</summary>
    public long? CallsPerSession { get; init; }

    /// <summary>Calls of one tool in a session; no limit by default.</summary>
    public long? CallsPerTool { get; init; }

    /// <summary>Identical calls (server, tool and canonical arguments) within <see cref="IdenticalWindow"/>; the next one asks. 10 by default.</summary>
    public long? IdenticalCalls { get; init; } = 10;

    /// <summary>The window of the loop breaker; 1 minute by default.</summary>
    public TimeSpan IdenticalWindow { get; init; } = TimeSpan.FromMinutes(1);
}
