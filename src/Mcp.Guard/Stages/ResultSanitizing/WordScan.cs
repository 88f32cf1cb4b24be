using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the words of a text that start one of many phrases. A word starts at an ASCII letter with no ASCII letter or digit before it; 32 characters at
/// a time tell where words start, and only there is anything looked up.
/// </summary>
internal sealed class WordScan
{
    private const int Block = 32;

    private readonly FourCharacters _starts;

    /// <param name="phrases">ASCII in lower case, three characters or more, the first a letter.</param>
    public WordScan(IEnumerable<string> phrases)
    {
        _starts = new FourCharacters(phrases, FourCharacters.IgnoreCase);
    }

    /// <summary>The phrases of each group.</summary>
    public string[][] Groups => _starts.Groups;

    /// <summary>The index of the next word at or after <paramref name="start"/> whose first four characters are those of a group, or -1.</summary>
    public int Next(ReadOnlySpan<char> text, int start, out int group)
    {
        ref char first = ref MemoryMarshal.GetReference(text);
        int at = start;
        uint before = start > 0 && char.IsAsciiLetterOrDigit(text[start - 1]) ? 1u : 0u;
        if (Vector256.IsHardwareAccelerated)
        {
            // Each start in a block must have its four characters.
            for (int last = text.Length - Block - 3; at <= last; at += Block)
            {
                uint letters = Letters(ref first, at, out uint words);
                uint starts = letters & ~((words << 1) | before);
                before = words >> 31;
                for (; starts != 0; starts &= starts - 1)
                {
                    int word = at + BitOperations.TrailingZeroCount(starts);
                    group = _starts.GroupAt(ref first, word);
                    if (group >= 0)
                    {
                        return word;
                    }
                }
            }
        }

        for (; at < text.Length; at++)
        {
            char c = text[at];
            bool letter = char.IsAsciiLetter(c);
            if (letter && before == 0)
            {
                group = at + 4 <= text.Length ? _starts.GroupAt(ref first, at) : _starts.GroupAtEnd(text[at..]);
                if (group >= 0)
                {
                    return at;
                }
            }

            before = letter || char.IsAsciiDigit(c) ? 1u : 0u;
        }

        group = -1;
        return -1;
    }

    /// <summary>One bit for each of 32 characters that is an ASCII letter; <paramref name="words"/>: a letter or digit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Letters(ref char text, int at, out uint words)
    {
        ref ushort units = ref Unsafe.As<char, ushort>(ref text);
        Vector256<ushort> low = Vector256.LoadUnsafe(ref units, (nuint)at);
        Vector256<ushort> high = Vector256.LoadUnsafe(ref units, (nuint)at + 16);
        Vector256<ushort> lowLetters = InRange(low | Vector256.Create((ushort)0x20), 'a', 25);
        Vector256<ushort> highLetters = InRange(high | Vector256.Create((ushort)0x20), 'a', 25);
        uint letters = Vector256.Narrow(lowLetters, highLetters).ExtractMostSignificantBits();
        words = letters | Vector256.Narrow(InRange(low, '0', 9), InRange(high, '0', 9)).ExtractMostSignificantBits();
        return letters;
    }

    private static Vector256<ushort> InRange(Vector256<ushort> units, char from, ushort width) =>
        Vector256.LessThanOrEqual(units - Vector256.Create((ushort)from), Vector256.Create(width));
}
