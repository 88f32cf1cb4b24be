namespace Mcp.Guard.Policy;

/// <summary>A rule that names a target, and whether only patterns with <c>*</c> of it do.</summary>
internal readonly record struct MatchedRule(CompiledRule Rule, bool ByGlob);
