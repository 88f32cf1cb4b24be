using System.Collections.Frozen;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>Words in names of tools that a person should look at twice. A harmless name proves nothing.</summary>
internal static class DangerousNames
{
    private static readonly FrozenDictionary<string, string> Words = Build(
        ("runs programs", ["exec", "execute", "eval", "shell", "bash", "sh", "cmd", "command", "commands", "powershell", "terminal", "run", "spawn", "script", "sudo", "subprocess"]),
        ("stops or destroys", ["kill", "terminate", "shutdown", "reboot", "delete", "remove", "rm", "rmdir", "unlink", "drop", "truncate", "destroy", "purge", "wipe", "erase", "uninstall", "format"]),
        ("changes rights", ["grant", "chmod", "chown", "permission", "permissions", "invite", "revoke", "impersonate"]),
        ("moves money", ["pay", "payment", "payments", "transfer", "purchase", "buy", "refund", "charge", "withdraw"]),
        ("sends or publishes", ["send", "email", "mail", "sms", "post", "publish", "deploy", "release", "push", "upload", "share", "tweet"]),
        ("handles credentials", ["password", "passwords", "secret", "secrets", "token", "tokens", "credential", "credentials", "key", "keys", "env", "printenv"]));

    /// <summary>What a name says; null where it says nothing of the kind.</summary>
    public static string? Find(string tool)
    {
        foreach (string word in Parts(tool))
        {
            if (Words.TryGetValue(word, out string? meaning))
            {
                return meaning;
            }
        }

        return null;
    }

    /// <summary>The words of <c>snake_case</c>, <c>kebab-case</c>, <c>dotted.names</c> and <c>camelCase</c>, in lower case.</summary>
    internal static IEnumerable<string> Parts(string tool)
    {
        int start = 0;
        for (int i = 0; i <= tool.Length; i++)
        {
            bool ends = i == tool.Length || !char.IsAsciiLetter(tool[i]) || (i > start && char.IsAsciiLetterUpper(tool[i]) && char.IsAsciiLetterLower(tool[i - 1]));
            if (!ends)
            {
                continue;
            }

            if (i > start)
            {
                yield return tool[start..i].ToLowerInvariant();
            }

            start = i < tool.Length && char.IsAsciiLetter(tool[i]) ? i : i + 1;
        }
    }

    private static FrozenDictionary<string, string> Build(params ReadOnlySpan<(string Meaning, string[] Words)> groups)
    {
        var words = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string meaning, string[] members) in groups)
        {
            foreach (string word in members)
            {
                words.Add(word, meaning);
            }
        }

        return words.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
