using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// A small table of how many phrases start: the first three characters choose an entry, which says what the fourth and the fifth may be. One multiplication and one
/// load say of nearly every word of ordinary text that no phrase starts there, without a branch.
/// </summary>
internal sealed class PhraseHeads
{
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;
    private const int TableBits = 10;

    /// <summary>Low half: a bit for what the low five bits of the fourth character may be; high half: the same of the fifth.</summary>
    private readonly ulong[] _entries = new ulong[1 << TableBits];
    private readonly short[] _groups = new short[1 << TableBits];

    /// <param name="phrases">ASCII in lower case, three characters or more.</param>
    /// <param name="lane">How many bits a character of the text takes: 8 or 16.</param>
    public PhraseHeads(IEnumerable<string> phrases, int lane)
    {
        var groups = new List<List<string>>();
        foreach (string phrase in phrases.Distinct(StringComparer.Ordinal))
        {
            if (phrase.Length < 3)
            {
                throw new ArgumentException($"'{phrase}' is too short: a phrase has three characters or more", nameof(phrases));
            }

            int index = IndexOf(Fold(phrase[0]) | (Fold(phrase[1]) << lane) | (Fold(phrase[2]) << (2 * lane)));
            _entries[index] |= BitsOf(phrase, 3) | (BitsOf(phrase, 4) << 32);
            if (_groups[index] == 0)
            {
                groups.Add([]);
                _groups[index] = (short)groups.Count;
            }

            groups[_groups[index] - 1].Add(phrase);
        }

        Groups = [.. groups.Select(group => group.ToArray())];
    }

    /// <summary>The phrases that share an entry.</summary>
    public string[][] Groups { get; }

    /// <summary>1 where a phrase may start with these characters, else 0.</summary>
    /// <param name="three">The first three, a lane each, with bit 5 set in each.</param>
    /// <param name="fourth">The fourth; only its low five bits count.</param>
    /// <param name="fifth">The fifth; only its low five bits count.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint MayStart(ulong three, uint fourth, uint fifth)
    {
        ulong entry = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_entries), IndexOf(three));
        return (uint)(entry >> (int)(fourth & 31)) & (uint)(entry >> (int)((fifth & 31) | 32)) & 1;
    }

    /// <summary>The group of the entry of three characters, or -1.</summary>
    public int GroupOf(ulong three) => _groups[IndexOf(three)] - 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(ulong three) => (int)((three * Spread) >> (64 - TableBits));

    private static ulong Fold(char c) => (ulong)c | 0x20;

    /// <summary>The bit of a character; all bits where the phrase has none.</summary>
    private static ulong BitsOf(string phrase, int at) => at < phrase.Length ? 1UL << (phrase[at] & 31) : 0xFFFF_FFFF;
}
