using System.Buffers;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Finds values by the name in front of them: assignments, JSON and YAML in text, headers, command-line options, queries, connection
/// strings, netrc lines, and credentials behind the words Bearer and Basic.
/// </summary>
internal static class KeyedValueFinder
{
    /// <summary>How far back a line of a netrc file is looked at for its first words.</summary>
    private const int MaxNetrcLine = 200;

    /// <summary>Room for the name of an authentication scheme and the blanks behind it.</summary>
    private const int MaxScheme = 64;

    private const string CharacterData = "<![CDATA[";

    /// <summary>How far before a short name that of a user is looked for.</summary>
    private const int MaxUser = 96;

    /// <summary>How many blanks may stand around a separator.</summary>
    private const int MaxBlanks = 16;

    /// <summary>What every sensitive name contains, in few words, for one vectorised scan.</summary>
    private static readonly PhraseScan Anchors = new(
        ["pass", "pwd", "secret", "token", "key", "auth", "cookie", "connection", "credential", "kennwort", "pin", "hub_pat", "hub-pat", "hubpat", "lab_pat", "labpat", "bucket_pat", "ops_pat", "opspat", "ext_pat", "extpat", "ado_pat", "dbpw", "db_pw", "userpw", "user_pw", "minpw", "min_pw", "rootpw", "root_pw", "bindpw", "bind_pw", "pw=", "pw:", "pw\"", "pw'", "pw ", "signature", "sig=", "bearer", "basic ", "jwt"],
        ignoreCase: true);

    private static readonly SearchValues<char> UnquotedEnds = SearchValues.Create(" \t\r\n;&\"'`<>)]},");
    private static readonly SearchValues<char> HeaderEnds = SearchValues.Create("\r\n\"'`");
    private static readonly SearchValues<char> CredentialEnds = SearchValues.Create(" ,;\r\n\"'`");
    private static readonly SearchValues<char> LineEnds = SearchValues.Create("\r\n");

    private static readonly string[] Schemes = ["Basic", "Bearer", "Token", "ApiKey", "DPoP", "Digest", "Negotiate", "NTLM", "Hawk", "SharedAccessSignature", "AWS4-HMAC-SHA256", "GoogleLogin"];

    public static void Find(ReadOnlySpan<char> text, ref SecretMatches? matches)
    {
        int at = 0;
        while (at < text.Length)
        {
            int anchor = Anchors.Next(text, at);
            if (anchor < 0)
            {
                return;
            }

            int start = anchor;
            while (start > at && anchor - start < SensitiveNames.MaxLength && IsNameCharacter(text[start - 1]))
            {
                start--;
            }

            int end = anchor + 1;
            while (end < text.Length && end - anchor < SensitiveNames.MaxLength && IsNameCharacter(text[end]))
            {
                end++;
            }

            at = Math.Max(end, Judge(text, start, end, ref matches));
        }
    }

    /// <summary>The values of a cookie header: <c>name=value; name=value</c>, attributes such as Path left alone.</summary>
    public static void FindCookies(ReadOnlySpan<char> text, int start, int end, SecretMatches matches)
    {
        int at = start;
        while (at < end)
        {
            int semicolon = text[at..end].IndexOf(';');
            int stop = semicolon < 0 ? end : at + semicolon;
            int equals = text[at..stop].IndexOf('=');
            if (equals > 0)
            {
                ReadOnlySpan<char> name = text.Slice(at, equals).Trim();
                int value = at + equals + 1;
                if (!IsCookieAttribute(name) && stop - value >= Placeholders.MinLength && !Placeholders.Is(text[value..stop]))
                {
                    matches.Add(value, stop, "cookie");
                    matches.AddValue(text[value..stop]);
                }
            }

            at = stop + 1;
        }
    }

    /// <summary>The index after a known authentication scheme and its blanks, or the start.</summary>
    public static int AfterScheme(ReadOnlySpan<char> text, int start, int end, out bool manyWords)
    {
        manyWords = false;
        foreach (string scheme in Schemes)
        {
            if (text[start..end].StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && start + scheme.Length < end && text[start + scheme.Length] is ' ' or '\t')
            {
                int at = start + scheme.Length;
                while (at < end && text[at] is ' ' or '\t')
                {
                    at++;
                }

                manyWords = scheme is "Digest" or "Hawk" or "AWS4-HMAC-SHA256" or "SharedAccessSignature";
                return at;
            }
        }

        return start;
    }

    /// <summary>Judges the name at [start, end); returns the index to go on from.</summary>
    private static int Judge(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> name = text[start..end];
        ReadOnlySpan<char> bare = name.Trim("-_.$");
        if (bare.Equals("bearer", StringComparison.OrdinalIgnoreCase) || bare.Equals("basic", StringComparison.OrdinalIgnoreCase))
        {
            int credentials = SchemeCredentials(text, end, bare[0] is 'b' or 'B' && bare.Length == 6 ? "bearer" : "basic", ref matches);
            if (credentials > end)
            {
                return credentials;
            }
        }

        SensitiveNameKind kind = SensitiveNames.KindOf(bare);
        if (kind == SensitiveNameKind.None && bare.Equals("key", StringComparison.OrdinalIgnoreCase) && FollowsKeyWord(text, start))
        {
            kind = SensitiveNameKind.Secret;
        }

        // The signature of a shared access signature: only in a query.
        if (kind == SensitiveNameKind.None && bare.Equals("sig", StringComparison.OrdinalIgnoreCase) && start > 0 && text[start - 1] is '?' or '&')
        {
            kind = SensitiveNameKind.Secret;
        }

        if (kind == SensitiveNameKind.None && SensitiveNames.IsShort(bare) && FollowsUser(text, start))
        {
            kind = SensitiveNameKind.Secret;
        }

        if (kind == SensitiveNameKind.None)
        {
            return end;
        }

        int at = Separator(text, start, end, name, kind, out char separator);
        return at < 0 ? end : Value(text, at, separator, kind, ref matches);
    }

    /// <summary>The index after the separator behind a name, or -1. The separator is '=', ':', '>' (an XML element) or ' ' (an option, a netrc line).</summary>
    private static int Separator(ReadOnlySpan<char> text, int start, int end, ReadOnlySpan<char> name, SensitiveNameKind kind, out char separator)
    {
        separator = '\0';
        int at = end;
        while (at < text.Length && text[at] is '\\' or '"' or '\'' or '`' or ']' or '*' && at - end < 4)
        {
            at++;
        }

        int quoted = at;
        while (at < text.Length && text[at] is ' ' or '\t' && at - quoted < MaxBlanks)
        {
            at++;
        }

        // <add key="Password" value="..."/>
        if (quoted > end && text[at..].StartsWith("value", StringComparison.OrdinalIgnoreCase) && at + 5 < text.Length && text[at + 5] is '=' or ' ')
        {
            at += 5;
        }

        if (text[at..].StartsWith("%3D", StringComparison.OrdinalIgnoreCase))
        {
            separator = '=';
            return at + 3;
        }

        if (at < text.Length && text[at] is '=' or ':' or '\uff1d' or '\uff1a')
        {
            separator = text[at] is '=' or '\uff1d' ? '=' : ':';
            at++;
            while (at < text.Length && text[at] is '=' or '>' && at - end < MaxBlanks)
            {
                at++;
            }

            return at;
        }

        if (at == end && at < text.Length && text[at] == '>' && OpensElement(text, start))
        {
            separator = '>';
            return at + 1;
        }

        bool option = name[0] == '-' && name.Length > 2;
        if (at > end && quoted == end && kind == SensitiveNameKind.Secret && (option || IsNetrc(text, start)))
        {
            separator = ' ';
            return at;
        }

        return -1;
    }

    /// <summary>Takes the value that starts at <paramref name="at"/>; returns the index after it.</summary>
    private static int Value(ReadOnlySpan<char> text, int at, char separator, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        int start = at;
        while (start < text.Length && text[start] is ' ' or '\t' && start - at < MaxBlanks)
        {
            start++;
        }

        if (separator == '>' && text[start..].StartsWith(CharacterData, StringComparison.Ordinal))
        {
            start += CharacterData.Length;
            int close = text[start..].IndexOf("]]>", StringComparison.Ordinal);
            int stop = close < 0 ? text.Length : start + close;
            Take(text, start, stop, kind, "keyed", ref matches);
            return stop;
        }

        start = NextLine(text, start, separator);
        int escapes = start;
        while (escapes < text.Length && text[escapes] == '\\' && escapes - start < 4)
        {
            escapes++;
        }

        if (escapes < text.Length && text[escapes] is '"' or '\'' or '`')
        {
            return QuotedValue(text, escapes + 1, text[escapes], escapes - start, kind, ref matches);
        }

        if (kind is SensitiveNameKind.Cookie or SensitiveNameKind.Authorization)
        {
            return HeaderValue(text, start, kind, ref matches);
        }

        ReadOnlySpan<char> rest = text[start..];
        int length = separator == '>' ? rest.IndexOf('<') : rest.IndexOfAny(UnquotedEnds);
        if (separator == '>' && length < 0)
        {
            // An element that nothing closes: cut off, or no element but a place to fill in, as in "user:<password> address".
            length = at < start ? 0 : rest.IndexOfAny(UnquotedEnds);
        }

        int end = length < 0 ? text.Length : start + length;
        while (end > start && text[end - 1] is '.' or ',' or ':' or '\\')
        {
            end--;
        }

        ReadOnlySpan<char> value = text[start..end];
        if (separator == ' ' && value.StartsWith('-'))
        {
            return start;
        }

        if (value.Length == 0 || IsCode(text, value, at < start, separator, end) || (separator == ':' && IsProse(text, value, at < start, end)))
        {
            return end;
        }

        Take(text, start, end, kind, "keyed", ref matches);
        return end;
    }

    /// <summary>
    /// Where a value starts that stands on the next line: behind a backslash, behind the mark of a block in YAML, or alone and indented. A list, another name or a
    /// word without a digit there is no value.
    /// </summary>
    private static int NextLine(ReadOnlySpan<char> text, int start, char separator)
    {
        int at = start;
        bool marked = false;
        if (at < text.Length && text[at] == '\\')
        {
            marked = true;
            at++;
        }
        else if (separator == ':' && at < text.Length && text[at] is '|' or '>')
        {
            marked = true;
            at++;
            at += at < text.Length && text[at] is '-' or '+' ? 1 : 0;
        }

        at += at < text.Length && text[at] == '\r' ? 1 : 0;
        if (at >= text.Length || text[at] != '\n' || (!marked && separator != ':'))
        {
            return start;
        }

        int value = ++at;
        while (value < text.Length && text[value] is ' ' or '\t' && value - at < MaxBlanks)
        {
            value++;
        }

        if (marked)
        {
            return value;
        }

        ReadOnlySpan<char> line = text[value..];
        int end = line.IndexOfAny(LineEnds);
        line = (end < 0 ? line : line[..end]).TrimEnd();
        return value == at || line.IsEmpty || line.ContainsAny(" :#{[") || line[0] is '-' || !line.ContainsAnyInRange('0', '9') ? start : value;
    }

    /// <summary>Whether a name is that of an XML element, with or without a prefix.</summary>
    private static bool OpensElement(ReadOnlySpan<char> text, int start)
    {
        if (start > 0 && text[start - 1] == ':')
        {
            int prefix = start - 1;
            while (prefix > 0 && start - prefix < MaxScheme && IsNameCharacter(text[prefix - 1]))
            {
                prefix--;
            }

            start = prefix;
        }

        return start > 0 && text[start - 1] == '<';
    }

    private static int QuotedValue(ReadOnlySpan<char> text, int start, char quote, int escapes, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        int at = start;
        int end = -1;
        while (at < text.Length)
        {
            int found = text[at..].IndexOfAny(quote, '\n');
            if (found < 0)
            {
                break;
            }

            at += found;
            if (text[at] == '\n')
            {
                break;
            }

            int slashes = 0;
            while (at - slashes > start && text[at - slashes - 1] == '\\')
            {
                slashes++;
            }

            // At the depth of escaping that opened the value the quote ends it; deeper ones are part of it.
            if (slashes <= escapes && (slashes == escapes || slashes % 2 == 0))
            {
                end = at - slashes;
                break;
            }

            at++;
        }

        if (end < 0)
        {
            int line = text[start..].IndexOfAny(LineEnds);
            end = line < 0 ? text.Length : start + line;
        }

        if (kind is SensitiveNameKind.Cookie or SensitiveNameKind.Authorization)
        {
            TakeHeader(text, start, end, kind, ref matches);
        }
        else
        {
            Take(text, start, end, kind, "keyed", ref matches);
        }

        return end;
    }

    private static int HeaderValue(ReadOnlySpan<char> text, int start, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        int from = start;
        SearchValues<char> ends = HeaderEnds;
        if (kind == SensitiveNameKind.Authorization)
        {
            // Where a scheme has one word behind it that word ends the search: a line is not searched to its end for each name in it.
            from = AfterScheme(text, start, Math.Min(text.Length, start + MaxScheme), out bool manyWords);
            ends = manyWords ? HeaderEnds : CredentialEnds;
            while (from < text.Length && text[from] is ' ' or '\t')
            {
                from++;
            }
        }

        int length = text[from..].IndexOfAny(ends);
        return TakeHeader(text, start, length < 0 ? text.Length : from + length, kind, ref matches);
    }

    private static int TakeHeader(ReadOnlySpan<char> text, int start, int end, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        if (kind == SensitiveNameKind.Cookie)
        {
            FindCookies(text, start, end, matches ??= new());
            return end;
        }

        int credentials = AfterScheme(text, start, end, out bool manyWords);
        int stop = end;
        if (!manyWords)
        {
            int blank = text[credentials..end].IndexOfAny(' ', ',', ';');
            stop = blank < 0 ? end : credentials + blank;
        }

        Take(text, credentials, stop, SensitiveNameKind.Secret, "authorization", ref matches);
        return Math.Max(stop, credentials);
    }

    /// <summary>Credentials behind a scheme word in running text; words that only speak of the scheme have no digit or are short.</summary>
    private static int SchemeCredentials(ReadOnlySpan<char> text, int at, string family, ref SecretMatches? matches)
    {
        int start = at;
        while (start < text.Length && text[start] is ' ' or '\t' && start - at < MaxBlanks)
        {
            start++;
        }

        if (start == at || start == text.Length)
        {
            return at;
        }

        int length = SecretAlphabet.Run(text, start, SecretAlphabet.Base64);
        ReadOnlySpan<char> value = text.Slice(start, length);
        bool mixed = value.ContainsAnyInRange('0', '9') || (value.ContainsAnyInRange('A', 'Z') && value[1..].ContainsAnyInRange('A', 'Z') && value.ContainsAnyInRange('a', 'z'));
        if (length < 12 || !mixed || Placeholders.Is(value))
        {
            return at;
        }

        matches ??= new();
        matches.Add(start, start + length, family);
        matches.AddValue(value);
        return start + length;
    }

    private static void Take(ReadOnlySpan<char> text, int start, int end, SensitiveNameKind kind, string family, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> value = text[start..end];
        if (Placeholders.Is(value) || (kind == SensitiveNameKind.Pin && value.ContainsAnyExceptInRange('0', '9')))
        {
            return;
        }

        matches ??= new();
        matches.Add(start, end, family);
        matches.AddValue(value);
    }

    /// <summary>An expression of a program: a call, an index, a path of names behind a spaced assignment.</summary>
    private static bool IsCode(ReadOnlySpan<char> text, ReadOnlySpan<char> value, bool spaced, char separator, int end)
    {
        char next = end < text.Length ? text[end] : '\0';
        if (value.ContainsAny('(', '['))
        {
            int open = value.IndexOfAny('(', '[');
            return open > 0 && !value[..open].ContainsAnyExcept(IdentifierPath);
        }

        return next is '(' or '['
            || (spaced && separator == '=' && value.Contains('.') && !value.ContainsAnyExcept(IdentifierPath) && !value.ContainsAnyInRange('0', '9'));
    }

    private static readonly SearchValues<char> IdentifierPath = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

    /// <summary>"Token: the id of ..." is prose: a word of letters after a blank, with another word behind it.</summary>
    private static bool IsProse(ReadOnlySpan<char> text, ReadOnlySpan<char> value, bool spaced, int end)
    {
        if (!spaced || value.ContainsAnyInRange('0', '9'))
        {
            return false;
        }

        foreach (char c in value[1..])
        {
            if (!char.IsLetter(c) && c is not ('\'' or '-' or '/') || char.IsAsciiLetterUpper(c))
            {
                return false;
            }
        }

        int next = end;
        while (next < text.Length && text[next] is ',' or '.' or ';' or ')' or ':' && next - end < 2)
        {
            next++;
        }

        return next + 1 < text.Length && text[next] == ' ' && (char.IsLetter(text[next + 1]) || text[next + 1] is '(' or '`');
    }

    private static bool FollowsKeyWord(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - 8)..start];
        return before.EndsWith("api ", StringComparison.OrdinalIgnoreCase) || before.EndsWith("access ", StringComparison.OrdinalIgnoreCase)
            || before.EndsWith("secret ", StringComparison.OrdinalIgnoreCase) || before.EndsWith("account ", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether the name of a user and its value stand shortly before: <c>user=anna pass=...</c>.</summary>
    private static bool FollowsUser(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - MaxUser)..start];
        foreach (string word in (ReadOnlySpan<string>)["user", "login"])
        {
            int at = before.LastIndexOf(word, StringComparison.OrdinalIgnoreCase);
            if (at < 0)
            {
                continue;
            }

            at += word.Length;
            while (at < before.Length && (IsNameCharacter(before[at]) || before[at] is '"' or '\'' or '\\' or ' '))
            {
                at++;
            }

            if (at < before.Length && before[at] is '=' or ':')
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNetrc(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - MaxNetrcLine)..start];
        return before.Contains("login ", StringComparison.Ordinal) && (before.Contains("machine ", StringComparison.Ordinal) || before.Contains("default", StringComparison.Ordinal));
    }

    private static bool IsCookieAttribute(ReadOnlySpan<char> name) =>
        name.Equals("path", StringComparison.OrdinalIgnoreCase) || name.Equals("domain", StringComparison.OrdinalIgnoreCase)
        || name.Equals("expires", StringComparison.OrdinalIgnoreCase) || name.Equals("max-age", StringComparison.OrdinalIgnoreCase)
        || name.Equals("samesite", StringComparison.OrdinalIgnoreCase) || name.Equals("priority", StringComparison.OrdinalIgnoreCase);

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '$';
}
