namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>An allowlist entry that cannot be used. The policy is refused with its position; <c>explain</c> drops the entry.</summary>
/// <param name="Index">Position in the list.</param>
/// <param name="Message">What is wrong and what fixes it.</param>
internal readonly record struct AllowlistProblem(int Index, string Message);
