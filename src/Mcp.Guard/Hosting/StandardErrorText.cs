using Mcp.Guard.Isolation;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Makes a line of a server's standard error fit for logs. It is text from the server like any other: cleaned, secrets redacted (those of patterns, and the
/// very values that the guard gave to the server), what is left of control characters escaped.
/// </summary>
internal sealed class StandardErrorText(IContentSanitizer sanitizer, IReadOnlyList<string> secrets)
{
    /// <summary>Shorter values are found everywhere and would only tell where they stand.</summary>
    private const int MinSecretLength = 4;

    private readonly BuiltInContentSanitizer _builtIn = new();

    public string Clean(string line)
    {
        foreach (string secret in secrets)
        {
            if (secret.Length >= MinSecretLength)
            {
                line = line.Replace(secret, SecretRedactor.Replacement("secret"), StringComparison.Ordinal);
            }
        }

        string text = _builtIn.Sanitize(line, ContentSurface.Log).Text;
        if (sanitizer is not BuiltInContentSanitizer)
        {
            text = sanitizer.Sanitize(text, ContentSurface.Log).Text; // a host's sanitiser can only add
        }

        return Printable.Escape(SecretRedactor.Default.Redact(text));
    }
}
