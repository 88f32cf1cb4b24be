namespace Mcp.Guard.Stages.Roots;

/// <summary>A root that cannot be used. The policy is refused with its position; <c>explain</c> drops the root.</summary>
/// <param name="Index">Position in the list of roots.</param>
/// <param name="Message">What is wrong and what fixes it.</param>
internal readonly record struct RootProblem(int Index, string Message);
