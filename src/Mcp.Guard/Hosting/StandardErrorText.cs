using Mcp.Guard.Isolation;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Makes a line of a server's standard error fit for logs. It is text from the server like any other: cleaned, secrets redacted (those of patterns, and the
/// very values that the guard gave to the server, also line by line, and the beginning of one at the end of a line that was cut), what is left of control
/// characters escaped.
/// </summary>
internal sealed class StandardErrorText
{
    /// <summary>Shorter values are found everywhere and would only tell where they stand.</summary>
    private const int MinSecretLength = 4;

    /// <summary>The same for parts of a value: a line of it, or its beginning.</summary>
    private const int MinPartLength = 8;

    private readonly BuiltInContentSanitizer _builtIn = new();
    private readonly IContentSanitizer _sanitizer;
    private readonly string[] _secrets;

    /// <param name="sanitizer">The host's, which can only add.</param>
    /// <param name="secrets">The values that the server was given.</param>
    public StandardErrorText(IContentSanitizer sanitizer, IReadOnlyList<string> secrets)
    {
        _sanitizer = sanitizer;

        // A key of several lines is written line by line. The longest first, so that none is found in another's rest.
        _secrets =
        [
            .. secrets.Where(static secret => secret.Length >= MinSecretLength)
                .Concat(secrets.Where(static secret => secret.AsSpan().ContainsAny('\n', '\r'))
                    .SelectMany(static secret => secret.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                    .Where(static part => part.Length >= MinPartLength))
                .Distinct(StringComparer.Ordinal)
                .OrderByDescending(static secret => secret.Length),
        ];
    }

    public string Clean(string line)
    {
        foreach (string secret in _secrets)
        {
            line = line.Replace(secret, SecretRedactor.Replacement("secret"), StringComparison.Ordinal);
        }

        line = WithoutBeginning(line);

        string text = _builtIn.Sanitize(line, ContentSurface.Log).Text;
        if (_sanitizer is not BuiltInContentSanitizer)
        {
            text = _sanitizer.Sanitize(text, ContentSurface.Log).Text; // a host's sanitiser can only add
        }

        return Printable.Escape(SecretRedactor.Default.Redact(text));
    }

    /// <summary>The line without the beginning of a secret at its end, where it was cut.</summary>
    private string WithoutBeginning(string line)
    {
        foreach (string secret in _secrets)
        {
            if (secret.Length <= MinPartLength)
            {
                continue;
            }

            // Only what begins so near the end that not all of it fits can be a beginning that was cut.
            int at = Math.Max(0, line.Length - secret.Length + 1);
            while ((at = line.IndexOf(secret[..MinPartLength], at, StringComparison.Ordinal)) >= 0)
            {
                if (secret.AsSpan().StartsWith(line.AsSpan(at), StringComparison.Ordinal))
                {
                    return string.Concat(line.AsSpan(0, at), SecretRedactor.Replacement("secret"));
                }

                at++;
            }
        }

        return line;
    }
}
