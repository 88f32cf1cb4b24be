using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Tells of JSON text as it stands, in UTF-8, that the sanitiser finds nothing in any of its strings and names: no unusual character, no start of markup, no phrase
/// that a wording rule starts from. It says so only where it is sure; whatever else may be clean as well.
/// </summary>
internal sealed class CleanJsonScan
{
    /// <summary>How many places are judged at once.</summary>
    private const int Block = WordStartFilter.Judged;

    /// <summary>How many bytes are read from a place on.</summary>
    private const int Reach = 8;

    private const ulong IgnoreCase = 0x2020_2020_2020_2020;
    private const ulong FirstThree = 0x0000_0000_00FF_FFFF;

    private const uint Places = (1u << Block) - 1;

    private readonly PhraseHeads _heads;
    private readonly WordStartFilter _filter;

    /// <summary>What has to stand around the start of a phrase, by group: the whole of it in UTF-8 as JSON writes it, and how many bytes of it stand before.</summary>
    private readonly (byte[] Phrase, int Before, ulong Start, ulong StartMask)[][] _phrases;

    /// <param name="triggers">What the wording rules start from.</param>
    public CleanJsonScan(IReadOnlyCollection<WordingTrigger> triggers)
    {
        string[] keys = [.. triggers.Select(trigger => Escape(trigger.Key))];
        _heads = new PhraseHeads(keys, lane: 8);
        _filter = new WordStartFilter(keys);
        _phrases = [.. _heads.Groups.Select(group => triggers.Where(trigger => group.Contains(Escape(trigger.Key), StringComparer.Ordinal)).Select(PhraseOf).ToArray())];
    }

    /// <summary>For <see cref="Wording.Default"/>.</summary>
    public static CleanJsonScan Default { get; } = new(Wording.Default.Triggers);

    /// <summary>Whether the sanitiser certainly changes and flags nothing, as far as single characters, markup and wording go.</summary>
    /// <param name="json">A JSON value, or the inside of a string or name, that a parser has accepted.</param>
    public bool IsClean(ReadOnlySpan<byte> json)
    {
        ref byte first = ref MemoryMarshal.GetReference(json);
        uint before = 0;
        uint escaped = 0;
        int at = 0;
        for (int last = json.Length - WordStartFilter.Read - Reach; at <= last; at += Block)
        {
            if (!IsClean(ref Unsafe.Add(ref first, at), json, at, ref before, ref escaped))
            {
                return false;
            }
        }

        if (at == json.Length)
        {
            return true;
        }

        Span<byte> padded = stackalloc byte[Block + WordStartFilter.Read + (2 * Reach)];
        padded.Fill((byte)' ');
        json[at..].CopyTo(padded);
        ref byte rest = ref MemoryMarshal.GetReference(padded);
        return IsClean(ref rest, json, at, ref before, ref escaped)
            && (json.Length - at <= Block || IsClean(ref Unsafe.Add(ref rest, Block), json, at + Block, ref before, ref escaped));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsClean(ref byte block, ReadOnlySpan<byte> json, int at, ref uint before, ref uint escaped)
    {
        Vector256<byte> here = Vector256.LoadUnsafe(ref block);

        // A parser lets TAB, LF and CR stand only between values.
        Vector256<byte> plain = InRange(here, (byte)' ', '~' - ' ') | InRange(here, (byte)'\t', 1) | Is(here, '\r');
        if (plain != Vector256<byte>.AllBitsSet)
        {
            return false;
        }

        Vector256<byte> tags = Is(here, '<');
        Vector256<byte> brackets = Is(here, ']');
        Vector256<byte> slashes = Is(here, '\\');
        uint afterEscape = escaped;
        escaped = 0;
        if ((tags | brackets | slashes) != Vector256<byte>.Zero)
        {
            Vector256<byte> next = Vector256.LoadUnsafe(ref block, 1);
            Vector256<byte> elements = InRange(next | Vector256.Create((byte)0x20), (byte)'a', 25) | Is(next, '!') | Is(next, '?') | Is(next, '|');
            Vector256<byte> escapes = Is(next, 'n') | Is(next, 't') | Is(next, '"') | Is(next, '\\');
            Vector256<byte> found = (tags & elements) | (brackets & (Is(next, '(') | Is(next, ':'))) | Vector256.AndNot(slashes, escapes);
            if (found != Vector256<byte>.Zero)
            {
                return false;
            }

            // What follows an escape starts a word, whatever letter the escape ends with.
            uint marks = slashes.ExtractMostSignificantBits();
            afterEscape |= marks << 2;
            escaped = (marks >> (Block - 2)) & 3;
        }

        Vector256<byte> characters = here | Vector256.Create((byte)0x20);
        uint letters = InRange(characters, (byte)'a', 25).ExtractMostSignificantBits();
        uint words = letters | InRange(here, (byte)'0', 9).ExtractMostSignificantBits();
        uint starts = letters & (~((words << 1) | before) | afterEscape) & _filter.Places(characters) & Places;
        before = (words >> (Block - 1)) & 1;
        uint places = 0;
        for (; starts != 0; starts &= starts - 1)
        {
            int place = BitOperations.TrailingZeroCount(starts);
            ulong eight = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref block, place));
            places |= _heads.MayStart((eight | IgnoreCase) & FirstThree, (uint)(eight >> 24), (uint)(eight >> 32)) << place;
        }

        for (; places != 0; places &= places - 1)
        {
            int place = BitOperations.TrailingZeroCount(places);
            if (StandsAt(json, at + place, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref block, place)) | IgnoreCase))
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="json">The text.</param>
    /// <param name="at">Where a word starts in it.</param>
    /// <param name="eight">The eight characters from there on, blanks behind the end, bit 5 set in each.</param>
    private bool StandsAt(ReadOnlySpan<byte> json, int at, ulong eight)
    {
        int group = _heads.GroupOf(eight & FirstThree);
        if (group >= 0)
        {
            foreach ((byte[] phrase, int before, ulong start, ulong mask) in _phrases[group])
            {
                // Eight characters tell nearly always.
                if ((eight & mask) == start && at >= before && json.Length - at >= phrase.Length - before && Ascii.EqualsIgnoreCase(json.Slice(at - before, phrase.Length), phrase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Before the word of a rule the rest of its anchor; what stands before a mark may be a line end, and is left to the readers.</summary>
    private static (byte[] Phrase, int Before, ulong Start, ulong StartMask) PhraseOf(WordingTrigger trigger)
    {
        string before = trigger.Anchor is null ? string.Empty : Escape(trigger.Before);
        string key = Escape(trigger.Key);
        ulong start = 0;
        ulong mask = 0;
        for (int i = 0; i < Math.Min(Reach, key.Length); i++)
        {
            start |= ((ulong)key[i] | 0x20) << (8 * i);
            mask |= 0xFFUL << (8 * i);
        }

        return (Encoding.ASCII.GetBytes(before + key), before.Length, start, mask);
    }

    private static string Escape(string phrase) => phrase.Replace("\"", "\\\"", StringComparison.Ordinal);

    private static Vector256<byte> Is(Vector256<byte> bytes, char c) => Vector256.Equals(bytes, Vector256.Create((byte)c));

    private static Vector256<byte> InRange(Vector256<byte> bytes, byte from, int width) =>
        Vector256.LessThanOrEqual(bytes - Vector256.Create(from), Vector256.Create((byte)width));
}
