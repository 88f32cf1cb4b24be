using System.Numerics;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the words of a text that start one of many phrases. A word starts at an ASCII letter with no ASCII letter or digit before it; a
/// <see cref="WordStartFilter"/> passes over nearly all of them many characters at a time, and only what is left is looked up.
/// </summary>
internal sealed class WordScan
{
    private readonly FourCharacters _starts;
    private readonly WordStartFilter _filter;

    /// <summary>Of each phrase of a group the fifth to eighth character, and which of them it has.</summary>
    private readonly (ulong Characters, ulong Mask)[][] _tails;

    /// <param name="phrases">ASCII in lower case, three characters or more, the first a letter.</param>
    public WordScan(IEnumerable<string> phrases)
    {
        string[] all = [.. phrases];
        _starts = new FourCharacters(all, FourCharacters.IgnoreCase);
        _filter = new WordStartFilter(all);
        _tails = [.. _starts.Groups.Select(group => group.Select(Tail).ToArray())];
    }

    /// <summary>The phrases of each group.</summary>
    public string[][] Groups => _starts.Groups;

    /// <summary>The index of the next word at or after <paramref name="start"/> that starts as a phrase of a group does, as far as its eighth character; or -1.</summary>
    public int Next(ReadOnlySpan<char> text, int start, out int group)
    {
        ref char first = ref MemoryMarshal.GetReference(text);
        int at = start;
        uint before = start > 0 && char.IsAsciiLetterOrDigit(text[start - 1]) ? 1u : 0u;
        if (WordStartFilter.IsSupported)
        {
            for (int last = text.Length - WordStartFilter.Read; at <= last; at += WordStartFilter.Judged)
            {
                for (uint places = _filter.Candidates(ref first, at, ref before); places != 0; places &= places - 1)
                {
                    int word = at + BitOperations.TrailingZeroCount(places);
                    group = _starts.GroupAt(ref first, word);
                    if (group >= 0 && MayStand(text, word, group))
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
                if (group >= 0 && MayStand(text, at, group))
                {
                    return at;
                }
            }

            before = letter || char.IsAsciiDigit(c) ? 1u : 0u;
        }

        group = -1;
        return -1;
    }

    private bool MayStand(ReadOnlySpan<char> text, int at, int group)
    {
        if (at + 8 > text.Length)
        {
            return true;
        }

        ulong next = MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(text.Slice(at + 4, 4))) | FourCharacters.IgnoreCase;
        foreach ((ulong characters, ulong mask) in _tails[group])
        {
            if ((next & mask) == characters)
            {
                return true;
            }
        }

        return false;
    }

    private static (ulong Characters, ulong Mask) Tail(string phrase)
    {
        ulong characters = 0;
        ulong mask = 0;
        for (int i = 4; i < Math.Min(8, phrase.Length); i++)
        {
            characters |= ((ulong)phrase[i] | 0x20) << (16 * (i - 4));
            mask |= 0xFFFFUL << (16 * (i - 4));
        }

        return (characters, mask);
    }
}
