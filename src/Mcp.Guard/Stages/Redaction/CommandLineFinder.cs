using System.Buffers;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Finds passwords that a command line or a statement gives away by their place: behind an option of one letter that means a password for this one program, or
/// behind the words of SQL. Without the program's name such an option says nothing.
/// </summary>
internal static class CommandLineFinder
{
    /// <summary>How much of a line behind the program's name is looked at.</summary>
    private const int MaxLine = 1024;

    /// <summary>How far before the words of a statement its first words are looked for.</summary>
    private const int MaxBefore = 160;

    private const string Family = "command-line";

    /// <summary>Programs, the options that are followed by a password, and what parts a user from it where both are one word.</summary>
    private static readonly Program[] Programs =
    [
        new("curl ", [new("-u", Between: ':'), new("--user", Between: ':'), new("-U", Between: ':'), new("--proxy-user", Between: ':')]),
        new("mysql", [new("-p", Attached: true)]),
        new("mariadb", [new("-p", Attached: true)]),
        new("sshpass ", [new("-p")]),
        new(" login ", [new("-p")]),
        new("redis-cli ", [new("-a")]),
        new("mongosh ", [new("-p")]),
        new("mongo ", [new("-p")]),
        new("mongodump ", [new("-p")]),
        new("mongorestore ", [new("-p")]),
        new("ldapsearch ", [new("-w")]),
        new("ldapmodify ", [new("-w")]),
        new("ldapadd ", [new("-w")]),
        new("ldapwhoami ", [new("-w")]),
        new("smbclient ", [new("-U", Between: '%')]),
        new("sqlcmd ", [new("-P")]),
        new("plink ", [new("-pw")]),
        new("pscp ", [new("-pw")]),
        new("unzip ", [new("-P")]),
    ];

    private static readonly SearchValues<char> WordEnds = SearchValues.Create(" \t\r\n\"'`<>)&");

    private static readonly string[] Statements = ["identified by ", "IDENTIFIED BY "];

    private static readonly string[] Inputs = ["-passin pass:", "-passout pass:", "-pass pass:"];

    /// <summary>What a scan looks for.</summary>
    public static IEnumerable<string> Phrases => [.. Programs.Select(program => program.Name), .. Statements, .. Inputs];

    /// <summary>The passwords of the command or statement that starts at an index; returns the index behind the phrase, or that index where none starts there.</summary>
    public static int Find(ReadOnlySpan<char> text, int start, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> rest = text[start..];
        foreach (Program program in Programs)
        {
            if (rest.StartsWith(program.Name, StringComparison.Ordinal))
            {
                return Options(text, start + program.Name.Length, program, ref matches);
            }
        }

        foreach (string statement in Statements)
        {
            if (rest.StartsWith(statement, StringComparison.Ordinal))
            {
                return statement[0] == 'I' || FollowsStatement(text, start) ? Statement(text, start + statement.Length, ref matches) : start;
            }
        }

        foreach (string input in Inputs)
        {
            if (rest.StartsWith(input, StringComparison.Ordinal))
            {
                int from = start + input.Length;
                return Take(text, from, WordEnd(text, from, text.Length), ref matches);
            }
        }

        return start;
    }

    /// <summary>The options of one command: to the end of its line, or to where the next command starts.</summary>
    private static int Options(ReadOnlySpan<char> text, int start, Program program, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> line = text.Slice(start, Math.Min(MaxLine, text.Length - start));
        int stop = line.IndexOfAny('\n', '|', ';');
        int end = stop < 0 ? start + line.Length : start + stop;
        int at = start;
        while (at < end)
        {
            // An option starts behind a blank.
            int dash = text[at..end].IndexOf(" -", StringComparison.Ordinal);
            int option = dash < 0 ? -1 : at + dash + 1;
            if (at == start && start < end && text[start] == '-' && text[start - 1] == ' ')
            {
                option = start;
            }

            if (option < 0)
            {
                break;
            }

            at = option + 1;
            foreach (Option candidate in program.Options)
            {
                if (text[option..end].StartsWith(candidate.Name, StringComparison.Ordinal) && ValueStart(text, option + candidate.Name.Length, end, candidate) is > 0 and int value)
                {
                    at = Math.Max(at, TakeValue(text, value, end, candidate.Between, ref matches));
                    break;
                }
            }
        }

        return Math.Max(at, start);
    }

    /// <summary>Where the value of an option starts that ends at an index; 0 where another option stands there.</summary>
    private static int ValueStart(ReadOnlySpan<char> text, int at, int end, Option option)
    {
        if (at >= end)
        {
            return 0;
        }

        if (option.Attached || option.Name is "-p" or "-u" or "-a" or "-w" && text[at] is not (' ' or '='))
        {
            return text[at] is ' ' or '=' or '-' ? 0 : at;
        }

        if (text[at] is not (' ' or '='))
        {
            return 0;
        }

        at++;
        while (at < end && text[at] == ' ')
        {
            at++;
        }

        return at < end && text[at] != '-' ? at : 0;
    }

    private static int TakeValue(ReadOnlySpan<char> text, int start, int limit, char between, ref SecretMatches? matches)
    {
        bool quoted = text[start] is '"' or '\'';
        int from = quoted ? start + 1 : start;
        int end;
        if (quoted)
        {
            int close = text[from..limit].IndexOf(text[start]);
            end = close < 0 ? limit : from + close;
        }
        else
        {
            end = WordEnd(text, from, limit);
        }

        if (between == '\0')
        {
            return Take(text, from, end, ref matches);
        }

        int colon = text[from..end].IndexOf(between);
        return colon < 0 || text[(from + colon)..end].StartsWith("://", StringComparison.Ordinal) ? end : Take(text, from + colon + 1, end, ref matches);
    }

    /// <summary>Whether the words of a statement stand before: in prose a thing is "identified by" its name.</summary>
    private static bool FollowsStatement(ReadOnlySpan<char> text, int start)
    {
        ReadOnlySpan<char> before = text[Math.Max(0, start - MaxBefore)..start];
        return before.Contains("create user ", StringComparison.OrdinalIgnoreCase) || before.Contains("alter user ", StringComparison.OrdinalIgnoreCase) || before.Contains("grant ", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary><c>IDENTIFIED BY 'password'</c>; the word PASSWORD or VALUES may stand between.</summary>
    private static int Statement(ReadOnlySpan<char> text, int at, ref SecretMatches? matches)
    {
        foreach (string word in (ReadOnlySpan<string>)["password ", "values "])
        {
            if (text[at..].StartsWith(word, StringComparison.OrdinalIgnoreCase))
            {
                at += word.Length;
            }
        }

        while (at < text.Length && text[at] == '\\')
        {
            at++;
        }

        if (at >= text.Length || text[at] is not ('\'' or '"' or '`'))
        {
            return at;
        }

        ReadOnlySpan<char> rest = text.Slice(at + 1, Math.Min(MaxLine, text.Length - at - 1));
        int close = rest.IndexOfAny(text[at], '\n', '\\');
        return Take(text, at + 1, close < 0 ? at + 1 + rest.Length : at + 1 + close, ref matches);
    }

    private static int WordEnd(ReadOnlySpan<char> text, int start, int limit)
    {
        int length = text[start..limit].IndexOfAny(WordEnds);
        return length < 0 ? limit : start + length;
    }

    private static int Take(ReadOnlySpan<char> text, int start, int end, ref SecretMatches? matches)
    {
        ReadOnlySpan<char> value = text[start..end];
        if (!Placeholders.Is(value))
        {
            matches ??= new();
            matches.Add(start, end, Family);
            matches.AddValue(value);
        }

        return end;
    }

    /// <param name="Name">With a blank behind it, where it is no start of further programs' names.</param>
    /// <param name="Options">Its options.</param>
    private sealed record Program(string Name, Option[] Options);

    /// <param name="Name">As written.</param>
    /// <param name="Attached">Whether the password counts only right behind the option.</param>
    /// <param name="Between">What parts user and password; NUL where the value is the password.</param>
    private sealed record Option(string Name, bool Attached = false, char Between = '\0');
}
