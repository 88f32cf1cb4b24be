namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Puts the library's own sanitiser behind the seam.</summary>
internal sealed class BuiltInContentSanitizer : IContentSanitizer
{
    public Mcp.Guard.SanitizedText Sanitize(string text, ContentSurface surface)
    {
        ArgumentNullException.ThrowIfNull(text);
        SanitizedText cleaned = TextSanitizer.Default.Sanitize(text, surface switch
        {
            ContentSurface.Description => TextSurface.Description,
            ContentSurface.Name => TextSurface.Name,
            _ => TextSurface.Result,
        });
        return new Mcp.Guard.SanitizedText(cleaned.Text, (ContentFindings)(int)cleaned.Flags);
    }
}
