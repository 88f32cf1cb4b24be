using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Four UTF-16 units as one number, and a small table of those that start one of many phrases: one load, one multiplication and one bit say for nearly
/// every position of ordinary text that no phrase starts there.
/// </summary>
internal sealed class FourCharacters
{
    /// <summary>Lower case for ASCII letters; other ASCII characters fall together in pairs.</summary>
    public const ulong IgnoreCase = 0x0020_0020_0020_0020;

    private const ulong BeyondAscii = 0xFF80_FF80_FF80_FF80;
    private const ulong FirstThree = 0x0000_FFFF_FFFF_FFFF;
    private const ulong Spread = 0x9E37_79B9_7F4A_7C15;
    private const int TableBits = 17;

    private readonly ulong _fold;
    private readonly ulong[] _table = new ulong[(1 << TableBits) / 64];
    private readonly Dictionary<ulong, int> _groups = [];

    /// <param name="phrases">ASCII, three characters or more.</param>
    /// <param name="fold"><see cref="IgnoreCase"/>, or 0 for ordinal phrases.</param>
    public FourCharacters(IEnumerable<string> phrases, ulong fold)
    {
        _fold = fold;
        var groups = new List<List<string>>();
        foreach (string phrase in phrases.Distinct(StringComparer.Ordinal))
        {
            if (phrase.Length < 3)
            {
                throw new ArgumentException($"'{phrase}' is too short: a phrase has three characters or more", nameof(phrases));
            }

            ulong three = Pack(phrase[0], phrase[1], phrase[2], '\0') | (fold & FirstThree);
            if (phrase.Length > 3)
            {
                Add(three | (Pack('\0', '\0', '\0', phrase[3]) | (fold & ~FirstThree)), phrase, groups);
                continue;
            }

            // A phrase of three characters is one with any fourth; what is not ASCII, and the end of the text, stand as NUL.
            foreach (ulong fourth in Enumerable.Range(0, 128).Select(c => ((ulong)c << 48) | (fold & ~FirstThree)).Distinct())
            {
                Add(three | fourth, phrase, groups);
            }
        }

        Groups = [.. groups.Select(group => group.ToArray())];
    }

    /// <summary>The phrases that share their first four characters.</summary>
    public string[][] Groups { get; }

    /// <summary>The group of phrases that may start at <paramref name="at"/>, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int GroupAt(ref char text, int at)
    {
        ulong four = Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<char, byte>(ref Unsafe.Add(ref text, at))) | _fold;
        if ((four & BeyondAscii) != 0)
        {
            if ((four & BeyondAscii & FirstThree) != 0)
            {
                return -1;
            }

            four = (four & FirstThree) | (_fold & ~FirstThree);
        }

        int hash = (int)((four * Spread) >> (64 - TableBits));
        return (_table[hash >> 6] >> (hash & 63) & 1) == 0 ? -1 : Find(four);
    }

    /// <summary>The same near the end of a text, where fewer than four characters are left.</summary>
    public int GroupAtEnd(ReadOnlySpan<char> rest)
    {
        Span<char> padded = stackalloc char[4];
        padded.Clear();
        rest[..Math.Min(4, rest.Length)].CopyTo(padded);
        return GroupAt(ref MemoryMarshal.GetReference(padded), 0);
    }

    private static ulong Pack(char a, char b, char c, char d) => a | ((ulong)b << 16) | ((ulong)c << 32) | ((ulong)d << 48);

    private int Find(ulong four) => _groups.TryGetValue(four, out int group) ? group : -1;

    private void Add(ulong four, string phrase, List<List<string>> groups)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("The scan for phrases reads four characters at once, which needs a little-endian machine.");
        }

        int hash = (int)((four * Spread) >> (64 - TableBits));
        _table[hash >> 6] |= 1UL << (hash & 63);
        if (!_groups.TryGetValue(four, out int group))
        {
            _groups[four] = group = groups.Count;
            groups.Add([]);
        }

        groups[group].Add(phrase);
    }
}
