namespace Mcp.Guard.Prompts;

/// <summary>A part of a <see cref="GuardedPrompt"/>, with where it comes from.</summary>
public readonly record struct PromptPart
{
    internal PromptPart(PromptPartKind kind, string origin, string text, bool altered)
    {
        Kind = kind;
        Origin = origin;
        Text = text;
        IsAltered = altered;
    }

    /// <summary>Who wrote the part.</summary>
    public PromptPartKind Kind { get; }

    /// <summary>The expression or slot that the value came from; empty for the author's parts.</summary>
    public string Origin { get => field ?? string.Empty; }

    /// <summary>The text as it stands in the prompt, without the frame around data.</summary>
    public string Text { get => field ?? string.Empty; }

    /// <summary>Whether sanitising or the length limit changed the value.</summary>
    public bool IsAltered { get; }
}
