using System.Collections.Frozen;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>Finds imitations of what separates speakers, tool calls and wrappers in a model's input.</summary>
internal static class RoleMarkers
{
    private static readonly PhraseScan Marks = new(
        [
            "<|", "[inst]", "[/inst]", "<<sys>>", "<system>", "</system>", "<assistant>", "</assistant>", "<tool_result", "</tool_result", "<tool_response", "</tool_response",
            "<function_calls", "<function_results", "<invoke name", "<tool_call>", "<untrusted", "</untrusted", "<system-reminder", "<system_prompt", "</system_prompt", "<user_message", "<start_of_turn>", "<end_of_turn>",
            "### instruction:", "### response:", "### system:", "### human:", "### assistant:", "\"role\"", "human:", "user:", "assistant:", "\nsystem:",
        ],
        ignoreCase: true);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Turns = FrozenSet.ToFrozenSet(
        [
            "im_start", "im_end", "im_sep", "system", "user", "assistant", "end", "start_header_id", "end_header_id", "eot_id", "eom_id", "begin_of_text", "end_of_text", "endoftext",
            "endofprompt", "startoftext", "python_tag", "channel", "message", "start", "return", "call", "constrain", "tool", "tool_call", "tool_response", "observation", "fim_prefix", "fim_suffix", "fim_middle",
        ],
        StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>What an imitated user says.</summary>
    private static readonly WordingElement Agreement = new("yes|approve|approved|approves|consent|confirm|confirmed|allow|accept|proceed|ok|okay|ignore|delete|grant|agree");

    public static bool Find(ReadOnlySpan<char> text)
    {
        int at = 0;
        bool human = false;
        bool assistant = false;
        while (at < text.Length)
        {
            at = Marks.Next(text, at);
            if (at < 0)
            {
                return false;
            }

            ReadOnlySpan<char> rest = text[at..];
            switch (char.ToLowerInvariant(text[at]))
            {
                case '<' when rest.StartsWith("<|", StringComparison.Ordinal):
                    if (IsTurn(rest))
                    {
                        return true;
                    }

                    break;
                case '"':
                    if (IsSystemRole(rest))
                    {
                        return true;
                    }

                    break;
                case 'h' or 'u' when StartsLine(text, at):
                    human = true;
                    if (Agrees(rest))
                    {
                        return true;
                    }

                    break;
                case 'a' when StartsLine(text, at):
                    assistant = true;
                    break;
                case 'h' or 'u' or 'a':
                    break;
                case '\n':
                    human = true;
                    if (Agrees(rest[1..]))
                    {
                        return true;
                    }

                    break;
                default:
                    return true;
            }

            // One speaker is a table or a log; both are a conversation.
            if (human && assistant)
            {
                return true;
            }

            at++;
        }

        return false;
    }

    /// <summary>"&lt;|word|&gt;" with a word that a model's template uses.</summary>
    private static bool IsTurn(ReadOnlySpan<char> rest)
    {
        int close = rest[..Math.Min(rest.Length, 40)].IndexOf("|>", StringComparison.Ordinal);
        return close > 2 && Turns.Contains(rest[2..close].Trim());
    }

    /// <summary>"role": "system" beside content: data may hold a user's words, but nobody else's system prompt.</summary>
    private static bool IsSystemRole(ReadOnlySpan<char> rest)
    {
        ReadOnlySpan<char> value = rest[6..Math.Min(rest.Length, 40)].TrimStart(" \t:\"");
        return value.StartsWith("system\"", StringComparison.OrdinalIgnoreCase) || value.StartsWith("developer\"", StringComparison.OrdinalIgnoreCase);
    }

    private static bool StartsLine(ReadOnlySpan<char> text, int at)
    {
        while (at > 0 && text[at - 1] is ' ' or '\t' or '*' or '#')
        {
            at--;
        }

        return at == 0 || text[at - 1] == '\n';
    }

    /// <summary>Whether the words right behind the speaker agree to something.</summary>
    private static bool Agrees(ReadOnlySpan<char> rest)
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
