using System.Buffers;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Finds passwords that a command line or a statement gives away by their place: behind an option that means a password for this one program, or
/// behind the words of SQL. Without the program's name such an option says nothing.
/// </summary>
internal static class CommandLineFinder
{
    /// <summary>How much of a line behind the program's name is looked at.</summary>
    private const int MaxLine = 1024;

    /// <summary>How far before the words of a statement its first words are looked for, and behind them the value.</summary>
    private const int MaxStatement = 160;

    /// <summary>How many options without a value may stand together before the one with a value.</summary>
    private const int MaxCluster = 8;

    /// <summary>The longest name of a program.</summary>
    private const int MaxName = 32;

    private const string Family = "command-line";
    private const string SecureString = "ConvertTo-SecureString";

    private static readonly Option[] Bind = [new("-w", Together: true)];

    private static readonly Option[] Password = [new("-p")];

    /// <summary>Programs, the options that are followed by a password, and what parts a user from it where both are one word.</summary>
    private static readonly Program[] Programs =
    [
        new("curl", [new("-u", Between: ':', Together: true), new("--user", Between: ':'), new("-U", Between: ':', Together: true), new("--proxy-user", Between: ':'), new("--oauth2-bearer"), new("--pass")]),
        new("mysql", [new("-p", Attached: true)], OpensNames: true),
        new("mariadb", [new("-p", Attached: true)], OpensNames: true),
        new("sshpass", Password),
        new(" login", Password),
        new("redis-cli", [new("-a"), new("--pass")]),
        new("mongo", Password, OpensNames: true),
        new("ldapsearch", Bind),
        new("ldapmodify", Bind),
        new("ldapadd", Bind),
        new("ldapwhoami", Bind),
        new("ldapdelete", Bind),
        new("ldappasswd", Bind),
        new("smbclient", [new("-U", Between: '%')]),
        new("sqlcmd", [new("-P")]),
        new("plink", [new("-pw")]),
        new("pscp", [new("-pw")]),
        new("psftp", [new("-pw")]),
        new("unzip", [new("-P")]),
    ];

    private static readonly SearchValues<char> WordEnds = SearchValues.Create(" \t\r\n`<>)&|;");

    /// <summary>What stands behind a quote that ends a word and opens none.</summary>
    private static readonly SearchValues<char> BehindQuotes = SearchValues.Create(" \t\r\n,;:|)]}<>&\\`");

    private static readonly SearchValues<char> StatementEnds = SearchValues.Create(" \t\r\n;,)\"'`");

    private static readonly SearchValues<char> PortMapping = SearchValues.Create("0123456789.:-");

    private static readonly string[] Statements = ["identified by", "IDENTIFIED BY", "Identified By", "Identified by", "identified with", "IDENTIFIED WITH", "Identified With", "Identified with"];

    /// <summary>The word before the password in statements of PostgreSQL and of older MySQL.</summary>
    private static readonly string[] PasswordWords = ["PASSWORD '", "password '", "Password '", "PASSWORD('", "password('", "Password('"];

    private static readonly string[] Contexts = ["create user", "alter user", "create role", "alter role", "set password", "grant "];

    private static readonly string[] Inputs = ["-passin ", "-passout ", "-pass "];

    /// <summary>What a scan looks for.</summary>
    public static IEnumerable<string> Phrases => [.. Programs.Select(program => program.Name), .. Statements, .. PasswordWords, .. Inputs, SecureString];

    /// <summary>Of how many programs a search remembers how far it read their lines.</summary>
    public static int ProgramCount => Programs.Length;

    /// <summary>Adds the passwords of the command or statement that starts at an index.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the phrase starts.</param>
    /// <param name="read">How far the lines of each program were read: one of <see cref="ProgramCount"/> each; a line is read once, however often its program is named in it.</param>
    /// <param name="matches">Where they are added.</param>
    public static void Find(ReadOnlySpan<char> text, int start, Span<int> read, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> rest = text[start..];
        for (int i = 0; i < Programs.Length; i++)
        {
            if (rest.StartsWith(Programs[i].Name, StringComparison.Ordinal))
            {
                Command(text, start, Programs[i], ref read[i], ref matches);
                return;
            }
        }

        if (rest.StartsWith(SecureString, StringComparison.Ordinal))
        {
            Argument(text, start + SecureString.Length, ref matches);
        }
        else if (StartOf(rest, Statements) is { } statement)
        {
            // In prose a thing is "identified by" its name.
            bool isStatement = FollowsStatement(text, start);
            if (isStatement || statement[0] == 'I')
            {
                Statement(text, start + statement.Length, statement.EndsWith('h') || statement.EndsWith('H'), isStatement, ref matches);
            }
        }
        else if (StartOf(rest, PasswordWords) is { } word)
        {
            if (FollowsStatement(text, start))
            {
                Literal(text, start + word.Length - 1, ref matches);
            }
        }
        else if (StartOf(rest, Inputs) is { } input)
        {
            Input(text, start + input.Length, ref matches);
        }
    }

    private static string? StartOf(ReadOnlySpan<char> text, string[] phrases)
    {
        foreach (string phrase in phrases)
        {
            if (text.StartsWith(phrase, StringComparison.Ordinal))
            {
                return phrase;
            }
        }

        return null;
    }

    /// <summary>The options of one command: to the end of its line, or to where the next command starts.</summary>
    private static void Command(ReadOnlySpan<char> text, int start, Program program, ref int read, ref SecretMatches? matches)
    {
        int at = start + program.Name.Length;
        int name = Math.Min(text.Length, start + MaxName);
        while (program.OpensNames && at < name && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '_' or '-'))
        {
            at++;
        }

        if (text[at..].StartsWith(".exe", StringComparison.OrdinalIgnoreCase))
        {
            at += 4;
        }

        at += at < text.Length && text[at] is '"' or '\'' ? 1 : 0;
        if (start < read || at >= text.Length || text[at] is not (' ' or '\t'))
        {
            return;
        }

        int end = LineEnd(text, at);
        read = end;
        while (at < end)
        {
            // An option starts behind a blank.
            int dash = text[at..end].IndexOf('-');
            if (dash < 0)
            {
                return;
            }

            at += dash;
            int value = text[at - 1] is ' ' or '\t' or '\n' ? ValueOf(text, at, end, program, out char between) : OptionWithoutValue(out between);
            at = value > 0 ? Math.Max(at + 1, Word(text, value, end, between, ref matches)) : at + 1;
        }
    }

    private static int OptionWithoutValue(out char between)
    {
        between = '\0';
        return 0;
    }

    /// <summary>The end of a command: of its line, which a backslash before the line end continues (in other shells a grave accent or a caret), or a separator outside quotes.</summary>
    private static int LineEnd(ReadOnlySpan<char> text, int start)
    {
        int limit = Math.Min(text.Length, start + MaxLine);
        char quote = '\0';
        for (int at = start; at < limit; at++)
        {
            char c = text[at];
            if (c == '\n')
            {
                int last = text[at - 1] == '\r' ? at - 2 : at - 1;
                if (text[last] is not ('\\' or '`' or '^'))
                {
                    return at;
                }
            }
            else if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
            }
            else if (quote == '\0' && c is '|' or ';')
            {
                return at;
            }
        }

        return limit;
    }

    /// <summary>Where the value of an option starts; 0 where it is none that takes a password, or another option follows.</summary>
    private static int ValueOf(ReadOnlySpan<char> text, int option, int end, Program program, out char between)
    {
        foreach (Option candidate in program.Options)
        {
            between = candidate.Between;
            int behind = option + candidate.Name.Length;
            if (text[option..end].StartsWith(candidate.Name, StringComparison.Ordinal) && ValueStart(text, behind, end, candidate) is > 0 and int value)
            {
                return value;
            }

            // "-sSu user:password": the last of several letters takes the value.
            int letters = option + 1;
            while (candidate.Together && letters < end && letters - option <= MaxCluster && char.IsAsciiLetter(text[letters]))
            {
                letters++;
            }

            if (letters > option + 2 && text[letters - 1] == candidate.Name[1] && letters < end && text[letters] is ' ' or '\t' && ValueStart(text, letters, end, candidate) is > 0 and int joined)
            {
                return joined;
            }
        }

        return OptionWithoutValue(out between);
    }

    /// <summary>Where the value of an option starts that ends at an index; 0 where another option stands there.</summary>
    private static int ValueStart(ReadOnlySpan<char> text, int at, int end, Option option)
    {
        if (at >= end)
        {
            return 0;
        }

        bool apart = text[at] is ' ' or '\t' or '=';
        if (option.Attached || (option.Name.Length == 2 && !apart))
        {
            return apart || text[at] is '-' or '\r' or '\n' ? 0 : at;
        }

        if (!apart)
        {
            return 0;
        }

        at++;
        while (at < end && (text[at] is ' ' or '\t' || IsContinuation(text, at)))
        {
            at++;
        }

        return at < end && text[at] != '-' ? at : 0;
    }

    /// <summary>A backslash before the end of a line, and that end.</summary>
    private static bool IsContinuation(ReadOnlySpan<char> text, int at) =>
        text[at] is '\r' or '\n' || (text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '\r' or '\n');

    /// <summary>Takes a word of a shell, or what stands behind the character that parts a user from the password; returns the index after the word.</summary>
    private static int Word(ReadOnlySpan<char> text, int start, int limit, char between, ref SecretMatches? matches)
    {
        int end = WordEnd(text, start, limit);
        int from = start;
        if (between != '\0')
        {
            int parted = text[start..end].IndexOf(between);
            if (parted < 0 || text[(start + parted)..end].StartsWith("://", StringComparison.Ordinal))
            {
                return end;
            }

            from = start + parted + 1;
        }
        else if (IsPortMapping(text[start..end]))
        {
            return end;
        }

        Take(text, from, end, ref matches);
        return end;
    }

    /// <summary>"-p 8080:80" behind the name of a program that is also an image, a service or a word.</summary>
    private static bool IsPortMapping(ReadOnlySpan<char> value)
    {
        if (value.EndsWith("/tcp", StringComparison.Ordinal) || value.EndsWith("/udp", StringComparison.Ordinal))
        {
            value = value[..^4];
        }

        return value.Contains(':') && !value.ContainsAnyExcept(PortMapping);
    }

    /// <summary>The index after a word with its quoted parts; a quote that closes one around the command ends it.</summary>
    private static int WordEnd(ReadOnlySpan<char> text, int start, int limit)
    {
        int at = start;
        while (at < limit)
        {
            char c = text[at];
            if (c == '\\' && at + 1 < limit && text[at + 1] is ' ' or ';' or '&' or '|')
            {
                at += 2;
            }
            else if (c is '"' or '\'')
            {
                int escapes = EscapedQuote.Slashes(text, start, at);
                bool opens = at - escapes == start || (at + 1 < limit && !BehindQuotes.Contains(text[at + 1]));
                int close = opens ? EscapedQuote.Closing(text[..limit], at + 1, c, escapes) : -1;
                if (close < 0)
                {
                    return at - escapes == start ? limit : at - escapes;
                }

                at = close + 1;
            }
            else if (WordEnds.Contains(c))
            {
                return at;
            }
            else
            {
                at++;
            }
        }

        return limit;
    }

    /// <summary>Whether the words of a statement stand before.</summary>
    private static bool FollowsStatement(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - MaxStatement)..start];
        foreach (string context in Contexts)
        {
            if (before.Contains(context, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// <c>IDENTIFIED BY 'password'</c>, <c>IDENTIFIED WITH plugin BY 'password'</c>; the word PASSWORD or VALUES may stand between. Without quotes (Oracle) only in a whole statement.
    /// </summary>
    private static void Statement(ReadOnlySpan<char> text, int at, bool plugin, bool isStatement, ref SecretMatches? matches)
    {
        int limit = Math.Min(text.Length, at + MaxStatement);
        if (plugin)
        {
            at = Blanks(text, at, limit);
            while (at < limit && text[at] is not (' ' or '\t' or '\n'))
            {
                at++;
            }

            at = Blanks(text, at, limit);
            if (!text[at..].StartsWith("by", StringComparison.OrdinalIgnoreCase) && !text[at..].StartsWith("as", StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            at += 2;
        }

        if (at >= text.Length || text[at] is not (' ' or '\t' or '\r' or '\n'))
        {
            return;
        }

        at = Blanks(text, at, limit);
        foreach (string word in (ReadOnlySpan<string>)["password ", "values "])
        {
            if (text[at..].StartsWith(word, StringComparison.OrdinalIgnoreCase))
            {
                at = Blanks(text, at + word.Length, text.Length);
            }
        }

        if (!Literal(text, at, ref matches) && isStatement)
        {
            int length = text[at..].IndexOfAny(StatementEnds);
            Take(text, at, length < 0 ? text.Length : at + length, ref matches);
        }
    }

    private static int Blanks(ReadOnlySpan<char> text, int at, int limit)
    {
        while (at < limit && text[at] is ' ' or '\t' or '\r' or '\n')
        {
            at++;
        }

        return at;
    }

    /// <summary>Takes a value in quotes; false where none starts there. A doubled quote is part of it.</summary>
    private static bool Literal(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        int quote = start;
        while (quote < text.Length && text[quote] == '\\' && quote - start < EscapedQuote.MaxEscapes)
        {
            quote++;
        }

        if (quote >= text.Length || text[quote] is not ('\'' or '"' or '`'))
        {
            return false;
        }

        ReadOnlySpan<char> line = text[..Math.Min(text.Length, quote + MaxLine)];
        int close = EscapedQuote.Closing(line, quote + 1, text[quote], quote - start);
        while (close >= 0 && close + 1 < line.Length && line[close + 1] == text[quote])
        {
            close = EscapedQuote.Closing(line, close + 2, text[quote], quote - start);
        }

        Take(text, quote + 1, close >= 0 ? close : EndOfLine(line, quote + 1), ref matches);
        return true;
    }

    private static int EndOfLine(ReadOnlySpan<char> text, int start)
    {
        int length = text[start..].IndexOfAny('\r', '\n');
        return length < 0 ? text.Length : start + length;
    }

    /// <summary>The first argument in quotes of a command, behind options without a value.</summary>
    private static void Argument(ReadOnlySpan<char> text, int at, ref SecretMatches? matches)
    {
        int limit = Math.Min(text.Length, at + MaxStatement);
        while (at < limit && text[at] is ' ' or '-' || (at < limit && char.IsAsciiLetter(text[at])))
        {
            at++;
        }

        Literal(text, at, ref matches);
    }

    /// <summary>Where OpenSSL takes a password from: only behind <c>pass:</c> is it the password itself.</summary>
    private static void Input(ReadOnlySpan<char> text, int at, ref SecretMatches? matches)
    {
        int end = WordEnd(text, at, Math.Min(text.Length, at + MaxLine));
        while (at < end && text[at] is '\\' or '"' or '\'')
        {
            at++;
        }

        if (text[at..end].StartsWith("pass:", StringComparison.Ordinal))
        {
            Take(text, at + "pass:".Length, end, ref matches);
        }
    }

    /// <summary>Takes a value without the quotes around it.</summary>
    private static void Take(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        while (start < end && text[start] is '"' or '\'' or '\\')
        {
            start++;
        }

        while (end > start && text[end - 1] is '"' or '\'' or '\\')
        {
            end--;
        }

        ReadOnlySpan<char> value = text[start..end];
        if (!Placeholders.Is(value))
        {
            matches ??= new();
            matches.Add(start, end, Family);
            matches.AddValue(value);
        }
    }

    /// <param name="Name">What it is called; <c>.exe</c> may follow.</param>
    /// <param name="Options">Its options.</param>
    /// <param name="OpensNames">Whether names that start so are programs of the same kind.</param>
    private sealed record Program(string Name, Option[] Options, bool OpensNames = false);

    /// <param name="Name">As written.</param>
    /// <param name="Attached">Whether the password counts only right behind the option.</param>
    /// <param name="Between">What parts user and password; NUL where the value is the password.</param>
    /// <param name="Together">Whether other letters may stand before it behind one hyphen.</param>
    private sealed record Option(string Name, bool Attached = false, char Between = '\0', bool Together = false);
}
