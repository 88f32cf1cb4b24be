namespace Mcp.Guard.Stages.Consent;

/// <summary>What makes two calls one question: the same binding, asked for the same reasons.</summary>
/// <param name="Binding">Server, tool, definition, arguments, caller and policy.</param>
/// <param name="IsConnection">Whether the caller stands for a connection: its ids are the guard's, not a user's.</param>
/// <param name="Reasons">The reasons, joined.</param>
internal readonly record struct ConsentPromptKey(ConsentBinding Binding, bool IsConnection, string Reasons);
