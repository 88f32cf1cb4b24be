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

    /// <summary>Shorter words behind that of a scheme are words.</summary>
    private const int MinCredentials = 12;

    private const string CharacterData = "<![CDATA[";

    /// <summary>How far before a short name that of a user is looked for.</summary>
    private const int MaxUser = 96;

    /// <summary>How many blanks may stand around a separator.</summary>
    private const int MaxBlanks = 64;

    /// <summary>Room for the attributes behind the name of an element, and for the type behind that of a variable.</summary>
    private const int MaxAttributes = 256;

    /// <summary>How far a text in three quotes is followed.</summary>
    private const int MaxBlock = 4096;

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

            // "%26token%3D" is no name "26token": it is judged where its escapes are read (EscapeProjection), which also tells where its value ends.
            at = IsBehindPercent(text, start, end) ? end : Math.Max(end, Judge(text, start, end, ref matches));
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

    private static bool IsBehindPercent(ReadOnlySpan<char> text, int start, int end) =>
        start > 0 && text[start - 1] == '%' && end - start > 2 && text[start] is >= '2' and <= '7' && char.IsAsciiHexDigit(text[start + 1]);

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
        while (at < text.Length && text[at] is '\\' or '"' or '\'' or '`' or ']' or '*' && at - end <= EscapedQuote.MaxEscapes)
        {
            at++;
        }

        int quoted = at;
        while (at < text.Length && text[at] is ' ' or '\t' && at - quoted < MaxBlanks)
        {
            at++;
        }

        if (PairedValue(text, end, quoted) is > 0 and int paired)
        {
            separator = text[paired - 1];
            return paired;
        }

        // Go: apiKey string = "..."
        at += quoted == end && at > end && text[at..].StartsWith("string =", StringComparison.Ordinal) ? "string ".Length : 0;

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

        if (Content(text, start, end, quoted) is > 0 and int content)
        {
            separator = '>';
            return content;
        }

        bool option = name[0] == '-' && name.Length > 2;
        if (at > end && quoted == end && kind == SensitiveNameKind.Secret && (option || IsNetrc(text, start)))
        {
            separator = ' ';
            return at;
        }

        return -1;
    }

    /// <summary>
    /// The index after the separator of a value that stands beside its name: <c>key="Password" value="..."</c>, <c>{"name":"PASSWORD","value":"..."}</c>, the same in YAML, and
    /// <c>&lt;name&gt;password&lt;/name&gt;&lt;value&gt;...</c>; 0 where none does.
    /// </summary>
    private static int PairedValue(ReadOnlySpan<char> text, int end, int quoted)
    {
        int at = quoted;
        if (text[end..].StartsWith("</", StringComparison.Ordinal))
        {
            int close = Bounded(text, end).IndexOf('>');
            at = close < 0 ? text.Length : BlanksAndLines(text, end + close + 1);
            return text[at..].StartsWith("<value>", StringComparison.OrdinalIgnoreCase) ? at + "<value>".Length : text[at..].StartsWith("<string>", StringComparison.OrdinalIgnoreCase) ? at + "<string>".Length : 0;
        }

        at += at < text.Length && text[at] == ',' && at > end ? 1 : 0;
        at = BlanksAndLines(text, at);
        if (at == end || (quoted == end && !text[end..at].Contains('\n')))
        {
            return 0;
        }

        at = QuoteMarks(text, at);
        if (!text[at..].StartsWith("value", StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }

        at = BlanksAndLines(text, QuoteMarks(text, at + "value".Length));
        return at < text.Length && text[at] is '=' or ':' ? at + 1 : 0;
    }

    /// <summary>The index after the tag in which a name stands, as that of the element or of one of its members: <c>&lt;password type="a"&gt;</c>, <c>&lt;property name="password"&gt;</c>; otherwise 0.</summary>
    private static int Content(ReadOnlySpan<char> text, int start, int end, int quoted)
    {
        if (end >= text.Length)
        {
            return 0;
        }

        if (quoted == end + 1 && quoted < text.Length && text[quoted] == '>')
        {
            return start > 1 && text[start - 1] == text[end] && text[start - 2] == '=' ? quoted + 1 : 0;
        }

        if (text[end] is not ('>' or ' ' or '\t' or '\n') || !OpensElement(text, start))
        {
            return 0;
        }

        ReadOnlySpan<char> tag = Bounded(text, end);
        int close = tag.IndexOfAny('>', '<');
        return close >= 0 && tag[close] == '>' && (close == 0 || tag[close - 1] != '/') ? end + close + 1 : 0;
    }

    private static ReadOnlySpan<char> Bounded(ReadOnlySpan<char> text, int start) => text.Slice(start, Math.Min(MaxAttributes, text.Length - start));

    private static int BlanksAndLines(ReadOnlySpan<char> text, int start)
    {
        int at = start;
        while (at < text.Length && text[at] is ' ' or '\t' or '\r' or '\n' && at - start < MaxBlanks)
        {
            at++;
        }

        return at;
    }

    private static int QuoteMarks(ReadOnlySpan<char> text, int start)
    {
        int at = start;
        while (at < text.Length && text[at] is '\\' or '"' or '\'' && at - start <= EscapedQuote.MaxEscapes)
        {
            at++;
        }

        return at;
    }

    /// <summary>The index after the '=' behind the type of a variable (<c>password: str = "..."</c>), or <paramref name="start"/>.</summary>
    private static int BehindType(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> rest = Bounded(text, start);
        int equals = rest.IndexOfAny('=', '\n');
        if (equals < 2 || rest[equals] != '=' || rest[equals - 1] != ' ' || (equals + 1 < rest.Length && rest[equals + 1] is '=' or '>'))
        {
            return start;
        }

        ReadOnlySpan<char> type = rest[..equals].Trim().TrimStart('&');
        if (type.StartsWith("'static ", StringComparison.Ordinal))
        {
            type = type["'static ".Length..];
        }

        int word = type.IndexOfAnyExcept(SecretAlphabet.Word);
        return TypeWords.Contains((word < 0 ? type : type[..word]).ToString()) && !type.ContainsAnyExcept(TypeCharacters) ? start + equals + 1 : start;
    }

    private static readonly string[] TypeWords = ["str", "string", "String", "Optional", "Option", "SecretStr", "bytes", "any", "Any", "final", "Final"];

    private static readonly SearchValues<char> TypeCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.[]<>|?, ");

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

        if (separator == ':' && BehindType(text, start) is int typed && typed > start)
        {
            return Value(text, typed, '=', kind, ref matches);
        }

        start = NextLine(text, start, separator);
        start += separator == '=' ? LiteralMark(text[start..]) : 0;
        int escapes = start;
        while (escapes < text.Length && text[escapes] == '\\' && escapes - start < EscapedQuote.MaxEscapes)
        {
            escapes++;
        }

        if (escapes < text.Length && text[escapes] is '"' or '\'' or '`')
        {
            return Quoted(text, escapes, escapes - start, kind, ref matches);
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

        if (value.Length == 0 || IsCode(value, at < start, separator) || (separator == ':' && IsProse(text, value, at < start, end)))
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
        if (at >= text.Length || text[at] != '\n' || separator == '>')
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
        if (!line.IsEmpty && line[0] is '"' or '\'' && value > at && line.TrimEnd(",;)").EndsWith(line[..1], StringComparison.Ordinal) && !line.Contains(": ", StringComparison.Ordinal))
        {
            return value;
        }

        return separator != ':' || value == at || line.IsEmpty || line.ContainsAny(" :#{[") || line[0] is '-' || !line.ContainsAnyInRange('0', '9') ? start : value;
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

    /// <summary>How many characters before a quote say what the literal is: <c>b'...'</c>, <c>r"..."</c>, <c>@"..."</c>, <c>N'...'</c>, <c>$'...'</c>.</summary>
    private static int LiteralMark(ReadOnlySpan<char> value)
    {
        int mark = value[..Math.Min(3, value.Length)].IndexOfAny('"', '\'');
        return mark > 0 && !value[..mark].ContainsAnyExcept(LiteralMarks) ? mark : 0;
    }

    /// <summary>A value in quotes, which may be doubled (CSV) or three (a block of several lines).</summary>
    private static int Quoted(ReadOnlySpan<char> text, int at, int escapes, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        char quote = text[at];
        ReadOnlySpan<char> rest = text[(at + 1)..];
        if (rest.Length < 2 || rest[0] != quote)
        {
            return QuotedValue(text, at + 1, quote, escapes, kind, ref matches);
        }

        if (rest[1] == quote)
        {
            int start = BlanksAndLines(text, at + 3);
            ReadOnlySpan<char> block = text.Slice(start, Math.Min(MaxBlock, text.Length - start));
            int close = block.IndexOf(text.Slice(at, 3), StringComparison.Ordinal);
            int line = block.IndexOfAny(LineEnds);
            int end = start + (close >= 0 ? block[..close].TrimEnd().Length : line >= 0 ? line : block.Length);
            Take(text, start, end, kind, "keyed", ref matches);
            return end;
        }

        return char.IsLetterOrDigit(rest[1]) ? QuotedValue(text, at + 2, quote, escapes, kind, ref matches) : at + 1;
    }

    private static int QuotedValue(ReadOnlySpan<char> text, int start, char quote, int escapes, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        int end = EscapedQuote.Closing(text, start, quote, escapes);
        if (end >= 0)
        {
            end -= Math.Min(escapes, EscapedQuote.Slashes(text, start, end));
        }
        else
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

        from = from == start && kind == SensitiveNameKind.Authorization ? AfterUnknownScheme(text, start, text.Length) : from;
        int length = text[from..].IndexOfAny(ends);
        return TakeHeader(text, start, length < 0 ? text.Length : from + length, kind, ref matches);
    }

    /// <summary>The index after a word and its blank where what looks like credentials stands behind them (<c>SSWS 00ab...</c>), or the start.</summary>
    private static int AfterUnknownScheme(ReadOnlySpan<char> text, int start, int end)
    {
        int blank = text[start..Math.Min(end, start + MaxScheme)].IndexOf(' ');
        if (blank <= 0 || text.Slice(start, blank).ContainsAnyExcept(SecretAlphabet.UrlSafe))
        {
            return start;
        }

        int credentials = start + blank + 1;
        bool isKnown = text[credentials..end].StartsWith("[redacted:", StringComparison.Ordinal);
        return isKnown || IsMixed(text.Slice(credentials, SecretAlphabet.Run(text[..end], credentials, SecretAlphabet.Base64))) ? credentials : start;
    }

    /// <summary>What is long and of several kinds of characters: a word is not.</summary>
    private static bool IsMixed(ReadOnlySpan<char> value) => value.Length >= MinCredentials
        && (value.ContainsAnyInRange('0', '9') || (value.ContainsAnyInRange('A', 'Z') && value[1..].ContainsAnyInRange('A', 'Z') && value.ContainsAnyInRange('a', 'z')));

    private static int TakeHeader(ReadOnlySpan<char> text, int start, int end, SensitiveNameKind kind, ref SecretMatches? matches)
    {
        if (kind == SensitiveNameKind.Cookie)
        {
            FindCookies(text, start, end, matches ??= new());
            return end;
        }

        int credentials = AfterScheme(text, start, end, out bool manyWords);
        credentials = credentials == start ? AfterUnknownScheme(text, start, end) : credentials;
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
        if (!IsMixed(value) || Placeholders.Is(value))
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
    private static bool IsCode(ReadOnlySpan<char> value, bool spaced, char separator)
    {
        int open = value.IndexOfAny('(', '[');
        return open >= 0
            ? open > 0 && !value[..open].ContainsAnyExcept(CallPath)
            : spaced && separator == '=' && value.Contains('.') && !value.ContainsAnyExcept(IdentifierPath) && !value.ContainsAnyInRange('0', '9');
    }

    private static readonly SearchValues<char> LiteralMarks = SearchValues.Create("bBrRuUfFN@$L");
    private static readonly SearchValues<char> CallPath = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:");
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
