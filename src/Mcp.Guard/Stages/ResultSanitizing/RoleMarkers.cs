using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Finds imitations of what separates speakers, tool calls and wrappers in a model's input.</summary>
internal static class RoleMarkers
{
    /// <summary>What has no other use than to imitate.</summary>
    public static string[] Marks { get; } =
    [
        "[inst]", "[/inst]", "<<sys>>", "<system>", "</system>", "<assistant>", "</assistant>", "<tool_result", "</tool_result", "<tool_response", "</tool_response",
        "<function_call", "<function_results", "<invoke name", "<tool_call>", "<untrusted", "</untrusted", "<system-reminder", "<system_prompt", "</system_prompt", "<user_message", "<start_of_turn>", "<end_of_turn>",
        "[available_tools]", "[tool_calls]", "[tool_results]", "[system_prompt]", "[/system_prompt]", "[gmask]", "<bos>", "<eos>", "<im_start>", "<im_end>",
        "begin system prompt", "begin system message", "end system prompt", "end of system prompt", "end system message", "end of system message",
        "### instruction:", "### response:", "### system:", "### human:", "### assistant:",
    ];

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Turns = FrozenSet.ToFrozenSet(
        [
            "im_start", "im_end", "im_sep", "system", "user", "assistant", "end", "start_header_id", "end_header_id", "eot_id", "eom_id", "begin_of_text", "end_of_text", "endoftext",
            "endofprompt", "startoftext", "python_tag", "channel", "message", "start", "return", "call", "constrain", "tool", "tool_call", "tool_response", "observation", "fim_prefix", "fim_suffix", "fim_middle",
        ],
        StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>What an imitated user says.</summary>
    private static readonly WordingElement Agreement = new("yes|approve|approved|approves|consent|confirm|confirmed|allow|accept|proceed|ok|okay|ignore|delete|grant|agree", new WordVocabulary());

    /// <summary>Whether a text holds "&lt;|word|&gt;" with a word that a model's template uses.</summary>
    public static bool HoldsTurn(ReadOnlySpan<char> text)
    {
        int at = 0;
        while (text[at..].IndexOf("<|", StringComparison.Ordinal) is >= 0 and int found)
        {
            at += found;
            if (IsTurn(text[at..]))
            {
                return true;
            }

            at += 2;
        }

        return false;
    }

    /// <summary>"&lt;|word|&gt;" with a word that a model's template uses.</summary>
    private static bool IsTurn(ReadOnlySpan<char> rest)
    {
        int close = rest[..Math.Min(rest.Length, 40)].IndexOf("|>", StringComparison.Ordinal);
        if (close <= 2)
        {
            return false;
        }

        // Markdown writes an underscore as "\_".
        ReadOnlySpan<char> word = rest[2..close];
        Span<char> plain = stackalloc char[word.Length];
        int length = 0;
        foreach (char c in word)
        {
            if (c != '\\')
            {
                plain[length++] = c == '\u2581' ? '_' : c;
            }
        }

        return Turns.Contains(plain[..length].Trim()) || IsSpecialToken(plain[..length]);
    }

    /// <summary>What tokenizers call their special tokens: one name without blanks, of three characters or more. "&lt;| x |>" is an operator of programs.</summary>
    private static bool IsSpecialToken(ReadOnlySpan<char> word)
    {
        foreach (char c in word)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return word.Length >= 3 && char.IsAsciiLetter(word[0]);
    }

    /// <summary>"role": "system" beside content: data may hold a user's words, but nobody else's system prompt.</summary>
    public static bool IsSystemRole(ReadOnlySpan<char> rest)
    {
        ReadOnlySpan<char> value = rest[6..Math.Min(rest.Length, 40)].TrimStart(" \t:\"'");
        return IsQuotedWord(value, "system") || IsQuotedWord(value, "developer");

        static bool IsQuotedWord(ReadOnlySpan<char> value, string word) =>
            value.Length > word.Length && value.StartsWith(word, StringComparison.OrdinalIgnoreCase) && value[word.Length] is '"' or '\'';
    }

    public static bool StartsLine(ReadOnlySpan<char> text, int at)
    {
        while (at > 0 && text[at - 1] is ' ' or '\t' or '*' or '#')
        {
            at--;
        }

        return at == 0 || text[at - 1] == '\n';
    }

    /// <summary>Whether the words right behind the speaker agree to something.</summary>
    public static bool Agrees(ReadOnlySpan<char> rest)
    {
        int at = rest.IndexOf(':') + 1;
        ReadOnlySpan<char> line = rest[at..Math.Min(rest.Length, at + 60)];
        int end = line.IndexOf('\n');
        line = end < 0 ? line : line[..end];
        int words = 0;
        while (!line.IsEmpty && words++ < 4)
        {
            line = line.TrimStart(" ,.!*");
            int length = 0;
            while (length < line.Length && char.IsLetter(line[length]))
            {
                length++;
            }

            if (length == 0)
            {
                return false;
            }

            if (Agreement.Takes(line[..length]))
            {
                return true;
            }

            line = line[length..];
        }

        return false;
    }
}
