namespace Mcp.Guard;

/// <summary>A text without what hides, reorders or commands.</summary>
/// <param name="Text">The text; the same instance where nothing had to change.</param>
/// <param name="Findings">What was found.</param>
public readonly record struct SanitizedText(string Text, ContentFindings Findings);
