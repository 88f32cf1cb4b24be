namespace Mcp.Guard.Policy;

/// <summary>URL patterns of one rule.</summary>
/// <param name="Patterns">Patterns as a rule spells them; none permits no URL.</param>
/// <param name="Arguments">JSON Pointers of arguments that are URLs whatever they look like.</param>
internal sealed record UrlAllowlist(IReadOnlyList<string> Patterns, IReadOnlyList<string> Arguments);
