using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// The hash of a member name or string. Seeded once per process, so that nobody outside can prepare names that collide; a collision costs
/// time only, never a wrong answer, because every hit is compared byte by byte.
/// </summary>
internal static class NameHash
{
    private static readonly ulong SeedA = Seed();
    private static readonly ulong SeedB = Seed() | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(ReadOnlySpan<byte> name)
    {
        int length = name.Length;
        if (length > 16)
        {
            return OfLong(name);
        }

        ulong low;
        ulong high;
        if (length >= 8)
        {
            low = BinaryPrimitives.ReadUInt64LittleEndian(name);
            high = BinaryPrimitives.ReadUInt64LittleEndian(name[(length - 8)..]);
        }
        else if (length >= 4)
        {
            low = BinaryPrimitives.ReadUInt32LittleEndian(name);
            high = BinaryPrimitives.ReadUInt32LittleEndian(name[(length - 4)..]);
        }
        else if (length > 0)
        {
            low = name[0] | ((uint)name[length >> 1] << 8) | ((uint)name[length - 1] << 16);
            high = 0;
        }
        else
        {
            low = 0;
            high = 0;
        }

        return Fold(low ^ SeedA ^ (uint)length, high ^ SeedB);
    }

    /// <summary>Mixes a further word into a hash; used for whole values.</summary>
    public static ulong Mix(ulong hash, ulong word)
    {
        ulong high = Math.BigMul(hash ^ SeedA, word ^ SeedB, out ulong low);
        return high ^ low;
    }

    private static int OfLong(ReadOnlySpan<byte> name)
    {
        ulong state = SeedA ^ (uint)name.Length;
        ReadOnlySpan<byte> rest = name;
        while (rest.Length > 16)
        {
            state = Mix(state ^ BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
            rest = rest[16..];
        }

        ReadOnlySpan<byte> last = name[^16..];
        return Fold(state ^ BinaryPrimitives.ReadUInt64LittleEndian(last), BinaryPrimitives.ReadUInt64LittleEndian(last[8..]) ^ SeedB);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        ulong mixed = high ^ low;
        return (int)(mixed ^ (mixed >> 32));
    }

    private static ulong Seed()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
