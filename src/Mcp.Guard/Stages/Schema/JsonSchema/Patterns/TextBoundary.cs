namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The tests of a pattern that look at a position and consume nothing (ECMA-262 section 22.2.2.4, without the flags m and i).</summary>
internal static class TextBoundary
{
    public static bool Holds(PatternOp op, ReadOnlySpan<byte> text, int at) => op switch
    {
        PatternOp.Start => at == 0,
        PatternOp.End => at == text.Length,
        PatternOp.WordBoundary => IsWord(text, at - 1) != IsWord(text, at),
        PatternOp.NotWordBoundary => IsWord(text, at - 1) == IsWord(text, at),
        _ => false,
    };

    /// <summary>Word characters are ASCII, so a byte decides.</summary>
    private static bool IsWord(ReadOnlySpan<byte> text, int at) =>
        (uint)at < (uint)text.Length && (char.IsAsciiLetterOrDigit((char)text[at]) || text[at] == (byte)'_');
}
