namespace Mcp.Guard.Stages.Budgets;

/// <summary>What the budgets say about one call. An uninitialised value denies.</summary>
internal enum BudgetVerdict
{
    /// <summary>A budget is spent: deny with <see cref="GuardDenialCodes.BudgetSpent"/>.</summary>
    Spent = 0,

    /// <summary>Within all budgets.</summary>
    Within,

    /// <summary>The same call again and again: ask.</summary>
    Repeated,
}
