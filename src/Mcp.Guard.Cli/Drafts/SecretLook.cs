using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>
/// Tells whether a value of a client's configuration may be written into a policy. Only what is plainly no secret is: a flag, a number, a word, a path or URL
/// without credentials. Everything else becomes a reference, because a policy is shared and a configuration of a user's own is not.
/// </summary>
internal static class SecretLook
{
    private const int LongestWord = 24;

    private static readonly string[] Words =
        ["token", "secret", "password", "passwd", "pwd", "key", "credential", "auth", "cookie", "session", "private", "cert", "signature", "pat", "dsn", "connection"];

    /// <summary>Whether a variable or header of this name and value has to become a reference.</summary>
    public static bool IsSecret(string name, string value) => value.Length > 0 && (IsSecretName(name) || !IsPlain(value));

    /// <summary>Whether a command-line argument, alone or after the one before it, shows a secret that no policy may hold.</summary>
    public static bool IsSecretArgument(string? before, string argument)
    {
        if (!ReferenceEquals(SecretRedactor.Default.Redact(argument), argument))
        {
            return true;
        }

        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        if (argument.StartsWith('-') && equals > 0)
        {
            return IsSecretName(argument[..equals]) && IsSecret(argument[..equals], argument[(equals + 1)..]);
        }

        return before is not null && before.StartsWith('-') && !before.Contains('=', StringComparison.Ordinal) && !argument.StartsWith('-') && IsSecretName(before) && argument.Length > 0;
    }

    private static bool IsSecretName(string name)
    {
        foreach (string part in name.Split(['_', '-', '.', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (string word in Words)
            {
                // "key" alone or at an end (API_KEY, apikey); "keyboard" and "monkey" are kept out by nothing, and a reference too many is harmless.
                if (part.Contains(word, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static bool IsPlain(string value)
    {
        if (!ReferenceEquals(SecretRedactor.Default.Redact(value), value) || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return false;
        }

        if (value is "true" or "false" or "yes" or "no" or "on" or "off" || value.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0)
        {
            return value.Length <= 12;
        }

        if (Path.IsPathFullyQualified(value))
        {
            return true;
        }

        if (Uri.TryCreate(value, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https")
        {
            return url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0 && url.AbsolutePath.Length <= 64;
        }

        // A word: letters with separators, and digits only at the ends of parts, as in "us-east-1" and "gpt-4".
        return value.Length <= LongestWord && value.Split(['-', '_', '.', ',', ' ', ':', '/']).All(static part => IsWord(part));
    }

    private static bool IsWord(string part)
    {
        string letters = part.TrimEnd("0123456789".ToCharArray());
        return letters.All(char.IsAsciiLetter) && part.Length - letters.Length <= 4 && letters.Length <= 16;
    }
}
