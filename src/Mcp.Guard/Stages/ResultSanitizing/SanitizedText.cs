namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>A text after sanitising, with what was found in it.</summary>
internal readonly struct SanitizedText(string text, ContentFlags flags)
{
    /// <summary>The text to use. The very instance that went in where nothing had to change.</summary>
    public string Text { get; } = text;

    public ContentFlags Flags { get; } = flags;
}
