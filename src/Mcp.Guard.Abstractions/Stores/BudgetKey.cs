namespace Mcp.Guard;

/// <summary>What a budget counts: a session's calls, its calls of one tool, or its repeats of one identical call.</summary>
/// <param name="BudgetId">The id of the budget.</param>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Server">The server's id, or null where all count together.</param>
/// <param name="Tool">The tool's exact name, or null.</param>
/// <param name="ArgumentsDigest">The digest of the canonical arguments, or null.</param>
public readonly record struct BudgetKey(string BudgetId, string UserId, string SessionId, string? Server, string? Tool, string? ArgumentsDigest);
