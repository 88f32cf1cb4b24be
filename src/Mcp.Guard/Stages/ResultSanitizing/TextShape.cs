namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>What a text may hold that has to be looked at more closely; nothing of it means that it cannot.</summary>
[Flags]
internal enum TextShape
{
    None = 0,

    /// <summary>A character other than the printed ones of ASCII, TAB, LF and CR LF.</summary>
    Unusual = 1,

    /// <summary>A <c>&lt;</c> before a letter, <c>!</c> or <c>?</c>.</summary>
    Html = 2,

    /// <summary>A <c>]</c> before <c>(</c> or <c>:</c>.</summary>
    Markdown = 4,

    /// <summary>A <c>&lt;|</c>, as marks of chat templates start.</summary>
    Turn = 8,
}
