using System.Collections.Frozen;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Tells names whose value is a secret: the whole name, case and separators ignored, or the last words of a longer one
/// (<c>DB_PASSWORD</c>, <c>x-api-key</c>, <c>userAccessToken</c>). Tokens of paging and of text models are none.
/// </summary>
internal static class SensitiveNames
{
    /// <summary>How much of a name is looked at, from its end.</summary>
    public const int MaxLength = 96;

    private static readonly FrozenSet<string> Names = FrozenSet.ToFrozenSet(
    [
        "password", "passwd", "pwd", "passphrase", "passcode", "passwort", "kennwort", "userpassword",
        "secret", "secrets", "clientsecret", "secretkey", "secretaccesskey", "accesskey", "accountkey", "sharedaccesskey", "sharedaccesssignature",
        "secretkeybase", "storagekey", "storageaccountkey", "githubpat", "gitlabpat", "bitbucketpat", "devopspat", "devopsextpat", "adopat",
        "dbpass", "userpass", "smtppass", "mailpass", "emailpass", "mysqlpass", "postgrespass", "pgpass", "redispass", "mongopass", "ldappass", "ftppass", "sshpass", "becomepass", "sudopass",
        "adminpass", "rootpass", "loginpass", "authpass", "mqttpass", "rabbitmqpass", "keypass", "storepass", "dbpw", "userpw", "adminpw", "rootpw", "bindpw",
        "apikey", "apitoken", "xapikey", "subscriptionkey", "signingkey", "encryptionkey", "masterkey", "authkey", "functionkey", "privatekey", "sshkey",
        "token", "accesstoken", "refreshtoken", "idtoken", "authtoken", "sastoken", "bearertoken", "bearer", "jwt", "credential", "credentials",
        "authorization", "proxyauthorization", "auth", "cookie", "cookies", "setcookie", "connectionstring", "pin",
    ], StringComparer.Ordinal);

    /// <summary>Words before "token" that make it a place in a list or in a vocabulary.</summary>
    private static readonly FrozenSet<string> HarmlessTokens = FrozenSet.ToFrozenSet(
    [
        "page", "next", "nextpage", "continuation", "sync", "delta", "skip", "cursor", "resume", "prev", "previous", "pagination", "list", "change",
        "eos", "bos", "pad", "unk", "sep", "cls", "mask", "special", "stop", "start", "end", "progress", "design", "per", "max", "first", "last", "count",
    ], StringComparer.Ordinal);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> NameLookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> HarmlessLookup = HarmlessTokens.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>What the value of this name is.</summary>
    public static SensitiveNameKind KindOf(ReadOnlySpan<char> name)
    {
        if (name.Length < 3)
        {
            return SensitiveNameKind.None;
        }

        // The last words decide.
        name = name.Length > MaxLength ? name[^MaxLength..] : name;

        if (name.ContainsAnyExceptInRange('\0', '\u007f'))
        {
            // Other dress and letters that look alike are read as what they look like.
            Span<char> folded = stackalloc char[MaxLength];
            int shown = Lookalikes.Fold(name, folded);
            if (!folded[..shown].ContainsAnyExceptInRange('\0', '\u007f'))
            {
                return KindOf(folded[..shown]);
            }
        }

        // The name in lower case without separators, and where its words start.
        Span<char> letters = stackalloc char[MaxLength];
        Span<int> words = stackalloc int[MaxLength];
        int length = 0;
        int count = 0;
        bool boundary = true;
        for (int i = 0; i < name.Length; i++)
        {
            char c = name[i];
            if (!char.IsLetterOrDigit(c))
            {
                boundary = true;
                continue;
            }

            bool hump = char.IsUpper(c) && i > 0 && (char.IsLower(name[i - 1]) || char.IsDigit(name[i - 1])
                || (char.IsUpper(name[i - 1]) && i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (boundary || hump)
            {
                words[count++] = length;
                boundary = false;
            }

            letters[length++] = char.ToLowerInvariant(c);
        }

        ReadOnlySpan<char> squashed = letters[..length];
        for (int word = 0; word < count; word++)
        {
            ReadOnlySpan<char> tail = squashed[words[word]..];
            if (NameLookup.Contains(tail) && !IsHarmless(squashed[..words[word]], tail, words[..word]))
            {
                return Kind(tail, alone: word == 0);
            }
        }

        // Written together: dbpassword, myapikey.
        return squashed.EndsWith("password", StringComparison.Ordinal) || squashed.EndsWith("passwd", StringComparison.Ordinal)
            || squashed.EndsWith("apikey", StringComparison.Ordinal) || squashed.EndsWith("connectionstring", StringComparison.Ordinal)
            ? SensitiveNameKind.Secret
            : SensitiveNameKind.None;
    }

    /// <summary>A name that is a password's only beside that of a user: it also counts tests, or is a word.</summary>
    public static bool IsShort(ReadOnlySpan<char> name) => name.Equals("pass", StringComparison.OrdinalIgnoreCase) || name.Equals("pw", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a value is only the name of a secret (<c>client_secret=client_secret</c> in a program).</summary>
    public static bool IsName(ReadOnlySpan<char> value)
    {
        if (value.Length > MaxLength)
        {
            return false;
        }

        Span<char> letters = stackalloc char[MaxLength];
        int length = 0;
        foreach (char c in value)
        {
            if (char.IsLetter(c))
            {
                letters[length++] = char.ToLowerInvariant(c);
            }
            else if (c is not ('_' or '-'))
            {
                return false;
            }
        }

        return NameLookup.Contains(letters[..length]);
    }

    private static SensitiveNameKind Kind(ReadOnlySpan<char> name, bool alone) => name switch
    {
        "cookie" or "cookies" or "setcookie" => SensitiveNameKind.Cookie,
        "authorization" or "proxyauthorization" => SensitiveNameKind.Authorization,
        "pin" => SensitiveNameKind.Pin,
        "auth" or "bearer" or "jwt" => alone ? SensitiveNameKind.Secret : SensitiveNameKind.None,
        _ => SensitiveNameKind.Secret,
    };

    private static bool IsHarmless(ReadOnlySpan<char> head, ReadOnlySpan<char> tail, ReadOnlySpan<int> words)
    {
        if (!tail.SequenceEqual("token"))
        {
            return false;
        }

        foreach (int word in words)
        {
            if (HarmlessLookup.Contains(head[word..]))
            {
                return true;
            }
        }

        return false;
    }
}
