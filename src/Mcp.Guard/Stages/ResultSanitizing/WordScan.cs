using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Finds the words of a text that start one of many phrases. A word starts at an ASCII letter with no ASCII letter or digit before it; a
/// <see cref="WordStartFilter"/> passes over half of them many characters at a time, <see cref="PhraseHeads"/> over nearly all of the others.
/// </summary>
internal sealed class WordScan
{
    /// <summary>How many places are judged at once.</summary>
    private const int Block = WordStartFilter.Judged;

    /// <summary>How many characters are read from a place on.</summary>
    private const int Reach = 8;

    private const uint Places = (1u << Block) - 1;

    private const ulong IgnoreCase = 0x0020_0020_0020_0020;
    private const ulong FirstThree = 0x0000_FFFF_FFFF_FFFF;

    private readonly PhraseHeads _heads;
    private readonly WordStartFilter _filter;

    /// <summary>The phrases of each group, with what stands before the word that the scan looks for.</summary>
    private readonly Start[][] _starts;

    /// <param name="phrases">ASCII in lower case, three characters or more, the first a letter.</param>
    public WordScan(IEnumerable<string> phrases)
        : this(phrases.Select(phrase => (phrase, string.Empty)))
    {
    }

    /// <param name="phrases">Phrases as above, and what has to stand before each, also in lower case.</param>
    public WordScan(IEnumerable<(string Phrase, string Before)> phrases)
    {
        (string Phrase, string Before)[] all = [.. phrases];
        string[] words = [.. all.Select(entry => entry.Phrase)];
        _heads = new PhraseHeads(words, lane: 16);
        _filter = new WordStartFilter(words);
        _starts = [.. _heads.Groups.Select(group => all.Where(entry => group.Contains(entry.Phrase, StringComparer.Ordinal)).Select(entry => new Start(entry.Phrase, entry.Before)).ToArray())];
    }

    /// <summary>The phrases of each group.</summary>
    public string[][] Groups => _heads.Groups;

    /// <summary>The index of the next word at or after <paramref name="start"/> where a phrase of a group stands; or -1. What is before and behind it is not looked at.</summary>
    public int Next(ReadOnlySpan<char> text, int start, out int group)
    {
        ref char first = ref MemoryMarshal.GetReference(text);
        int at = start;
        uint before = start > 0 && char.IsAsciiLetterOrDigit(text[start - 1]) ? 1u : 0u;
        for (int last = text.Length - WordStartFilter.Read - Reach; at <= last; at += Block)
        {
            for (uint places = Candidates(ref first, at, ref before); places != 0; places &= places - 1)
            {
                int word = at + BitOperations.TrailingZeroCount(places);
                group = GroupAt(ref Unsafe.Add(ref first, word), text, word);
                if (group >= 0)
                {
                    return word;
                }
            }
        }

        group = -1;
        return at < text.Length ? NextAtEnd(text, at, before, out group) : -1;
    }

    /// <summary>The same for the last characters, with room behind them.</summary>
    private int NextAtEnd(ReadOnlySpan<char> text, int at, uint before, out int group)
    {
        Span<char> padded = stackalloc char[Block + WordStartFilter.Read + (2 * Reach)];
        padded.Clear();
        text[at..].CopyTo(padded);
        ref char first = ref MemoryMarshal.GetReference(padded);
        for (int block = 0; at + block < text.Length; block += Block)
        {
            for (uint places = Candidates(ref first, block, ref before); places != 0; places &= places - 1)
            {
                int word = block + BitOperations.TrailingZeroCount(places);
                group = GroupAt(ref Unsafe.Add(ref first, word), text, at + word);
                if (group >= 0)
                {
                    return at + word;
                }
            }
        }

        group = -1;
        return -1;
    }

    /// <summary>One bit for each of the places from <paramref name="at"/> on where a word starts that may start a phrase.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Candidates(ref char text, int at, ref uint before)
    {
        ref ushort units = ref Unsafe.As<char, ushort>(ref Unsafe.Add(ref text, at));
        Vector256<byte> raw = Vector256.NarrowWithSaturation(Vector256.LoadUnsafe(ref units), Vector256.LoadUnsafe(ref units, 16));
        Vector256<byte> characters = raw | Vector256.Create((byte)0x20);
        uint letters = InRange(characters, (byte)'a', 25).ExtractMostSignificantBits();
        uint words = letters | InRange(raw, (byte)'0', 9).ExtractMostSignificantBits();
        uint starts = letters & ~((words << 1) | before) & _filter.Places(characters) & Places;
        before = (words >> (Block - 1)) & 1;
        uint places = 0;
        for (; starts != 0; starts &= starts - 1)
        {
            int place = BitOperations.TrailingZeroCount(starts);
            ulong four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<ushort, byte>(ref Unsafe.Add(ref units, place)));
            places |= _heads.MayStart((four | IgnoreCase) & FirstThree, (uint)(four >> 48), Unsafe.Add(ref units, place + 4)) << place;
        }

        return places;
    }

    private int GroupAt(ref char word, ReadOnlySpan<char> text, int at)
    {
        ulong four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<char, byte>(ref word)) | IgnoreCase;
        ulong next = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<char, byte>(ref Unsafe.Add(ref word, 4))) | IgnoreCase;
        int group = _heads.GroupOf(four & FirstThree);
        if (group >= 0)
        {
            foreach (ref readonly Start start in _starts[group].AsSpan())
            {
                // Eight characters tell nearly always.
                if ((four & start.FourMask) == start.Four && (next & start.NextMask) == start.Next && start.StandsAt(text, at))
                {
                    return group;
                }
            }
        }

        return -1;
    }

    private static Vector256<byte> InRange(Vector256<byte> bytes, byte from, byte width) =>
        Vector256.LessThanOrEqual(bytes - Vector256.Create(from), Vector256.Create(width));

    /// <summary>A phrase, and its first eight characters as numbers, bit 5 set in each.</summary>
    private readonly struct Start
    {
        private readonly string _phrase;
        private readonly string _before;

        public Start(string phrase, string before)
        {
            _phrase = phrase;
            _before = before;
            for (int i = 0; i < Math.Min(Reach, phrase.Length); i++)
            {
                ulong character = ((ulong)phrase[i] | 0x20) << (16 * (i & 3));
                ulong mask = 0xFFFFUL << (16 * (i & 3));
                (Four, FourMask) = i < 4 ? (Four | character, FourMask | mask) : (Four, FourMask);
                (Next, NextMask) = i < 4 ? (Next, NextMask) : (Next | character, NextMask | mask);
            }
        }

        public readonly ulong Four;
        public readonly ulong FourMask;
        public readonly ulong Next;
        public readonly ulong NextMask;

        public bool StandsAt(ReadOnlySpan<char> text, int at) =>
            text[at..].StartsWith(_phrase, StringComparison.OrdinalIgnoreCase) && text[..at].EndsWith(_before, StringComparison.OrdinalIgnoreCase);
    }
}
