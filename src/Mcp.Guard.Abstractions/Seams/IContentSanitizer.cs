namespace Mcp.Guard;

/// <summary>Cleans text that comes from a server. Linear, idempotent, never throws, never makes a text longer than four times.</summary>
public interface IContentSanitizer
{
    /// <summary>Cleans one text.</summary>
    /// <param name="text">Any text, lone surrogates included.</param>
    /// <param name="surface">Where it is shown.</param>
    SanitizedText Sanitize(string text, ContentSurface surface);
}
