using Mcp.Guard.Isolation;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Hosting;

/// <summary>Makes text that a server wrote (a line of standard error, the message of a transport's exception) fit for logs and reports, never for a model.</summary>
internal static class ServerText
{
    /// <summary>The longest text that is kept, in UTF-16 units.</summary>
    public const int MaxLength = 2048;

    /// <summary>One line: bounded, nothing hidden, no terminal sequences, no credentials, what is not plain escaped. Redaction comes before the cut.</summary>
    public static string ForLog(string text)
    {
        // Twice the room: a credential that the cut would split is seen whole, and the work stays bounded. What redaction shortens may bring this first cut into sight.
        bool cut = text.Length > 2 * MaxLength;
        string cleaned = SecretRedactor.Default.Redact(TextSanitizer.Default.Sanitize(cut ? text[..(2 * MaxLength)] : text, TextSurface.Result).Text);
        string line = Printable.Escape(cut ? SecretRedactor.BeforeCut(cleaned) : cleaned);
        return line.Length > MaxLength ? string.Concat(line.AsSpan(0, MaxLength), " (cut)") : cut ? line + " (cut)" : line;
    }

    /// <summary>What may be said of a transport's failure: its type and, made fit, its message. The message can be an HTTP error body or the server's own text.</summary>
    public static string Describe(Exception failure) => $"{failure.GetType().Name}: {ForLog(failure.Message)}";
}
