using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Tells of 29 places of a text at once where the first four characters of one of many phrases may stand. It may name a place too many, never one too few:
/// each phrase lies in one of eight groups, and a character belongs to a group at a position when both halves of its byte occur there.
/// </summary>
internal sealed class WordStartFilter
{
    /// <summary>How many characters are read at once.</summary>
    public const int Read = 32;

    /// <summary>How many places one reading judges: the last three lack their followers.</summary>
    public const int Judged = Read - 3;

    private const int Positions = 4;
    private const int Groups = 8;

    private readonly Vector256<byte> _low0, _low1, _low2, _low3, _high0, _high1, _high2, _high3;

    /// <param name="phrases">ASCII in lower case, three characters or more.</param>
    public WordStartFilter(IEnumerable<string> phrases)
    {
        string[] starts = [.. phrases.Select(phrase => phrase[..Math.Min(Positions, phrase.Length)]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        byte[][] low = [.. Enumerable.Range(0, Positions).Select(_ => new byte[16])];
        byte[][] high = [.. Enumerable.Range(0, Positions).Select(_ => new byte[16])];
        for (int i = 0; i < starts.Length; i++)
        {
            // Neighbours in order share their first letters, so each group takes few of them.
            byte group = (byte)(1 << (i * Groups / starts.Length));
            for (int position = 0; position < Positions; position++)
            {
                if (position < starts[i].Length)
                {
                    int c = starts[i][position] | 0x20;
                    low[position][c & 15] |= group;
                    high[position][c >> 4] |= group;
                    continue;
                }

                for (int half = 0; half < 16; half++)
                {
                    low[position][half] |= group;
                    high[position][half] |= group;
                }
            }
        }

        (_low0, _low1, _low2, _low3) = (Twice(low[0]), Twice(low[1]), Twice(low[2]), Twice(low[3]));
        (_high0, _high1, _high2, _high3) = (Twice(high[0]), Twice(high[1]), Twice(high[2]), Twice(high[3]));
    }

    /// <summary>
    /// One bit for each of the <see cref="Judged"/> places where the first four characters of a phrase may stand; what the bits above them say means nothing. On a
    /// machine that cannot tell all bits are set.
    /// </summary>
    /// <param name="characters">A character a byte, with bit 5 set in each.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Places(Vector256<byte> characters)
    {
        if (!Avx2.IsSupported)
        {
            return uint.MaxValue;
        }

        Vector256<byte> low = characters & Vector256.Create((byte)0x0F);
        Vector256<byte> high = (characters.AsUInt16() >> 4).AsByte() & Vector256.Create((byte)0x0F);
        Vector256<byte> groups = Avx2.Shuffle(_low0, low) & Avx2.Shuffle(_high0, high)
            & From(Avx2.Shuffle(_low1, low) & Avx2.Shuffle(_high1, high), 1)
            & From(Avx2.Shuffle(_low2, low) & Avx2.Shuffle(_high2, high), 2)
            & From(Avx2.Shuffle(_low3, low) & Avx2.Shuffle(_high3, high), 3);
        return ~Vector256.Equals(groups, Vector256<byte>.Zero).ExtractMostSignificantBits();
    }

    /// <summary>The bytes from an offset on, zeros behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> From(Vector256<byte> bytes, [ConstantExpected] byte offset) =>
        Avx2.AlignRight(Avx2.Permute2x128(bytes, bytes, 0x81), bytes, offset);

    private static Vector256<byte> Twice(byte[] half)
    {
        Vector128<byte> table = Vector128.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(half));
        return Vector256.Create(table, table);
    }
}
