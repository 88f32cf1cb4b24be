namespace Mcp.Guard.Stages.Redaction;

/// <summary>A stretch of text that is a secret, and the family it belongs to.</summary>
internal readonly record struct SecretMatch(int Start, int End, string Family);
