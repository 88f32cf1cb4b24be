using System.Buffers;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the extent of terminal control sequences (ECMA-48, and what xterm adds). One instance serves one text and remembers where the
/// next string terminator is, so that many unterminated strings cost one scan and not one each.
/// </summary>
internal ref struct TerminalSequence
{
    private const char Escape = '\u001b';
    private const char Bell = '\u0007';
    private const char Cancel = '\u0018';
    private const char Substitute = '\u001a';
    private const char StringTerminator = '\u009c';

    private static readonly SearchValues<char> Stops = SearchValues.Create([Escape, StringTerminator, Cancel, Substitute]);
    private static readonly SearchValues<char> StopsWithBell = SearchValues.Create([Escape, StringTerminator, Cancel, Substitute, Bell]);

    private readonly ReadOnlySpan<char> text;
    private int knownStop = -1;
    private int knownStopWithBell = -1;

    /// <param name="text">The whole text.</param>
    public TerminalSequence(ReadOnlySpan<char> text)
    {
        this.text = text;
    }

    /// <summary>The index after the sequence that an ESC at <paramref name="start"/> begins. An unterminated string runs to the end of the text.</summary>
    public int EndOfEscape(int start)
    {
        int i = start + 1;
        if (i >= text.Length)
        {
            return i;
        }

        char c = text[i];
        switch (c)
        {
            case '[':
                return EndOfControlSequence(i + 1, out _);
            case ']':
                EndOfString(i + 1, endsAtBell: true, out int afterCommand);
                return afterCommand;
            case 'P' or 'X' or '^' or '_' or 'k':
                EndOfString(i + 1, endsAtBell: false, out int afterString);
                return afterString;
            case >= ' ' and <= '/':
                while (i < text.Length && text[i] is >= ' ' and <= '/')
                {
                    i++;
                }

                return i < text.Length && text[i] is >= '0' and <= '~' ? i + 1 : i;
            case >= '0' and <= '~':
                return i + 1;
            default:
                return i;
        }
    }

    /// <summary>The index after the sequence that an 8-bit introducer (U+0090, 98, 9B, 9D, 9E, 9F) begins; without its end, after the introducer alone.</summary>
    public int EndOfEightBit(int start, out bool complete)
    {
        int end;
        if (text[start] == '\u009b')
        {
            end = EndOfControlSequence(start + 1, out complete);
        }
        else
        {
            complete = EndOfString(start + 1, text[start] == '\u009d', out end);
        }

        return complete ? end : start + 1;
    }

    private readonly int EndOfControlSequence(int i, out bool complete)
    {
        while (i < text.Length && text[i] is >= '0' and <= '?')
        {
            i++;
        }

        while (i < text.Length && text[i] is >= ' ' and <= '/')
        {
            i++;
        }

        complete = i < text.Length && text[i] is >= '@' and <= '~';
        return complete ? i + 1 : i;
    }

    /// <summary>Where a control string ends: after its terminator (true), or at an ESC that starts something else, or at the end of the text.</summary>
    private bool EndOfString(int start, bool endsAtBell, out int end)
    {
        ref int known = ref endsAtBell ? ref knownStopWithBell : ref knownStop;
        if (known < start)
        {
            ReadOnlySpan<char> rest = text[start..];
            int found = rest.IndexOfAny(endsAtBell ? StopsWithBell : Stops);
            known = found < 0 ? text.Length : start + found;
        }

        int stop = known;
        if (stop == text.Length)
        {
            end = stop;
            return false;
        }

        if (text[stop] != Escape)
        {
            end = stop + 1;
            return true;
        }

        bool terminated = stop + 1 < text.Length && text[stop + 1] == '\\';
        end = terminated ? stop + 2 : stop;
        return terminated;
    }
}
