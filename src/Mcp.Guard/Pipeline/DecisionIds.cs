using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Mcp.Guard.Pipeline;

/// <summary>Makes the ids of decisions: UUID version 7 (RFC 9562 section 5.7), so that they sort by time. Their 74 random bits come from the system's generator.</summary>
internal static class DecisionIds
{
    private const int RandomBytes = 10;

    // Asked for in advance, for 100 ids at once: a system call for each costs more than the id. Bytes are used once.
    [ThreadStatic]
    private static byte[]? t_random;

    [ThreadStatic]
    private static int t_left;

    public static string Next(TimeProvider time)
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(id, time.GetUtcNow().ToUnixTimeMilliseconds() << 16);
        TakeRandom(id[6..]);
        id[6] = (byte)((id[6] & 0x0F) | 0x70);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true).ToString();
    }

    private static void TakeRandom(Span<byte> target)
    {
        byte[] random = t_random ??= new byte[100 * RandomBytes];
        if (t_left == 0)
        {
            RandomNumberGenerator.Fill(random);
            t_left = random.Length;
        }

        t_left -= RandomBytes;
        Span<byte> taken = random.AsSpan(t_left, RandomBytes);
        taken.CopyTo(target);
        taken.Clear();
    }
}
