namespace Mcp.Guard.Prompts;

/// <summary>Who wrote a part of a <see cref="GuardedPrompt"/>. The default is data.</summary>
public enum PromptPartKind
{
    /// <summary>A value that was put into a hole: untrusted, sanitised, bounded and framed.</summary>
    Data = 0,

    /// <summary>A literal part: written by the author of the program or template.</summary>
    Author,
}
