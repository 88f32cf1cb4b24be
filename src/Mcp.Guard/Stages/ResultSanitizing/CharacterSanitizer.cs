namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Takes out the characters that nobody sees or that steer a terminal, and leaves what people write: joiners where a script or an emoji
/// needs them, listed variation sequences, flags, direction marks in right-to-left text. Each decision looks at the output so far and at
/// the next character of the input, so a second run finds nothing to change.
/// </summary>
internal static class CharacterSanitizer
{
    /// <summary>How many combining marks between a letter and a joiner are looked through (UAX 15 stream-safe text has at most 30).</summary>
    private const int MaxMarks = 32;

    private static readonly string[] SubdivisionFlags = [Tags("gbeng"), Tags("gbsct"), Tags("gbwls")];

    /// <summary>One pass over <paramref name="text"/>. The output is unchanged where the text is clean.</summary>
    public static ContentFlags Run(ReadOnlySpan<char> text, bool keepByteOrderMark, ref TextBuffer output)
    {
        int i = AttentionMap.Next(text, 0);
        if (i == text.Length)
        {
            output.Keep(0, i);
            return ContentFlags.None;
        }

        ContentFlags flags = ContentFlags.None;
        var terminal = new TerminalSequence(text);
        bool keptDirectionMark = false;
        (int Length, int Letter) left = (-1, CodePoints.None);
        int taken = 0;
        while (i < text.Length)
        {
            output.Keep(taken, i);
            char c = text[i];
            int end = i + 1;
            switch (c)
            {
                case '\u001b':
                    flags |= ContentFlags.Terminal;
                    end = terminal.EndOfEscape(i);
                    output.Drop();
                    break;
                case '\u0090' or '\u0098' or '\u009b' or '\u009d' or '\u009e' or '\u009f':
                    end = terminal.EndOfEightBit(i, out bool complete);
                    flags |= complete ? ContentFlags.Terminal : ContentFlags.Control;
                    output.Drop();
                    break;
                case '\r':
                    flags |= ContentFlags.Terminal;
                    output.Write('\n');
                    break;
                case '\u0085' or '\u2028' or '\u2029':
                    flags |= ContentFlags.Control;
                    output.Write('\n');
                    break;
                case < ' ' or >= '\u007f' and <= '\u009f':
                    flags |= ContentFlags.Control;
                    output.Drop();
                    break;
                case '\u200e' or '\u200f' or '\u061c':
                    keptDirectionMark = true;
                    output.Keep(i, end);
                    break;
                case >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069':
                    flags |= ContentFlags.Bidi;
                    output.Drop();
                    break;
                default:
                    int point = CodePoints.At(text, i);
                    end = i + CodePoints.Length(point);
                    if (point is >= 0xD800 and <= 0xDFFF)
                    {
                        // Left in, it could find its other half once what stands between is gone. It is shown as U+FFFD everywhere.
                        flags |= ContentFlags.HiddenUnicode;
                        output.Write('\uFFFD');
                    }
                    else if (FlagTags(output.Written, text[i..]) is > 0 and int tags)
                    {
                        end = i + tags;
                        output.Keep(i, end);
                    }
                    else if (Belongs(point, output.Written, text, end, ref left) || (point == 0xFEFF && i == 0 && keepByteOrderMark))
                    {
                        output.Keep(i, end);
                    }
                    else
                    {
                        flags |= ContentFlags.HiddenUnicode;
                        output.Drop();
                    }

                    break;
            }

            taken = end;
            i = AttentionMap.Next(text, end);
        }

        output.Keep(taken, text.Length);
        if (keptDirectionMark && !HoldsRightToLeft(output.Written))
        {
            flags |= ContentFlags.Bidi;
            RemoveDirectionMarks(ref output);
        }

        return flags;
    }

    /// <summary>Whether an invisible character means something where it stands.</summary>
    private static bool Belongs(int point, ReadOnlySpan<char> before, ReadOnlySpan<char> text, int next, ref (int Length, int Letter) left)
    {
        int previous = CodePoints.Before(before, before.Length);
        int following = CodePoints.At(text, next);
        switch (point)
        {
            case CodePoints.NonJoiner or CodePoints.Joiner:
                return previous != CodePoints.None && JoinerBelongs(point, previous, before, text, next, ref left);
            case >= 0xFE00 and <= 0xFE0F:
                return CodePoints.TakesSelector(previous, point);
            case >= 0xE0100 and <= 0xE01EF:
                return CodePoints.TakesIdeographicSelector(previous, point);
            case CodePoints.ZeroWidthSpace:
                return CodePoints.IsSoutheastAsian(previous) || (previous != CodePoints.ZeroWidthSpace && CodePoints.IsSoutheastAsian(following));
            case 0x00AD:
                return CodePoints.IsLetter(previous) && CodePoints.IsLetter(following);
            case 0x115F:
                return CodePoints.IsVowelJamo(following)
                    || (following == 0x1160 && CodePoints.IsTrailingJamo(CodePoints.At(text, next + 1)));
            case 0x1160:
                return CodePoints.IsLeadingJamo(previous) || (previous == 0x115F && CodePoints.IsTrailingJamo(following));
            case 0x180E:
                return CodePoints.IsMongolian(previous)
                    || ((previous is not (>= 0x180B and <= 0x180F) || CodePoints.IsMongolian(BeforeLast(before))) && CodePoints.IsMongolian(following));
            case >= 0x180B and <= 0x180F:
                return CodePoints.IsMongolian(previous)
                    || (previous is not (>= 0x180B and <= 0x180F) && CodePoints.IsMongolian(following));
            case 0x2800:
                return CodePoints.IsDottedBraille(previous) || CodePoints.IsDottedBraille(following);
            default:
                return false;
        }
    }

    private static bool JoinerBelongs(int point, int previous, ReadOnlySpan<char> before, ReadOnlySpan<char> text, int next, ref (int Length, int Letter) lastLeft)
    {
        int following = CodePoints.At(text, next);
        if (point == CodePoints.Joiner && CodePoints.IsPictographic(following))
        {
            int emoji = previous == CodePoints.EmojiSelector ? BeforeLast(before) : previous;
            if (CodePoints.IsPictographic(emoji) || CodePoints.IsSkinTone(emoji))
            {
                return true;
            }
        }

        if (CodePoints.IsVirama(previous))
        {
            return true;
        }

        // Of a thousand joiners behind one letter with many marks each would look through those marks again.
        if (lastLeft.Length != before.Length)
        {
            lastLeft = (before.Length, LetterBefore(before));
        }

        int left = lastLeft.Letter;
        int script = CodePoints.JoiningScript(left);
        if (script < 0)
        {
            return false;
        }

        // A mark of the same script after the joiner (Bengali ya-phalaa is RA, joiner, virama, YA) counts like its letter.
        if (CodePoints.JoiningScript(following) == script)
        {
            return true;
        }

        int right = LetterAfter(text, next);
        if (CodePoints.JoiningScript(right) == script || (point == CodePoints.NonJoiner && CodePoints.JoinsAfter(left) && CodePoints.JoinsBefore(right)))
        {
            return true;
        }

        return script is UnicodeTables.ArabicScript or UnicodeTables.MalayalamScript && CodePoints.EndsWord(following);
    }

    /// <summary>The last letter of the output, looking through its marks; -1 where there is none.</summary>
    private static int LetterBefore(ReadOnlySpan<char> before)
    {
        int at = before.Length;
        for (int marks = 0; marks <= MaxMarks; marks++)
        {
            int point = CodePoints.Before(before, at);
            if (point == CodePoints.None || !CodePoints.IsMark(point))
            {
                return CodePoints.IsLetter(point) ? point : CodePoints.None;
            }

            at -= CodePoints.Length(point);
        }

        return CodePoints.None;
    }

    private static int LetterAfter(ReadOnlySpan<char> text, int at)
    {
        for (int marks = 0; marks <= MaxMarks; marks++)
        {
            int point = CodePoints.At(text, at);
            if (point == CodePoints.None || !CodePoints.IsMark(point))
            {
                return CodePoints.IsLetter(point) ? point : CodePoints.None;
            }

            at += CodePoints.Length(point);
        }

        return CodePoints.None;
    }

    private static int BeforeLast(ReadOnlySpan<char> before)
    {
        int last = CodePoints.Before(before, before.Length);
        return last == CodePoints.None ? last : CodePoints.Before(before, before.Length - CodePoints.Length(last));
    }

    /// <summary>The length of the tags that make a black flag the flag of England, Scotland or Wales; 0 where they do not.</summary>
    private static int FlagTags(ReadOnlySpan<char> before, ReadOnlySpan<char> rest)
    {
        if (CodePoints.Before(before, before.Length) == CodePoints.BlackFlag)
        {
            foreach (string tags in SubdivisionFlags)
            {
                if (rest.StartsWith(tags, StringComparison.Ordinal))
                {
                    return tags.Length;
                }
            }
        }

        return 0;
    }

    private static bool HoldsRightToLeft(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] >= 0x590 && CodePoints.IsStrongRightToLeft(CodePoints.At(text, i)))
            {
                return true;
            }
        }

        return false;
    }

    private static void RemoveDirectionMarks(ref TextBuffer output)
    {
        output.Drop();
        output.RemoveAll('\u200e', '\u200f', '\u061c');
    }

    private static string Tags(string word) => string.Concat(word.Select(letter => char.ConvertFromUtf32(0xE0000 + letter))) + char.ConvertFromUtf32(0xE007F);
}
