using System.Buffers.Binary;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// Names keys. Parts are hashed with their lengths, so that no choice of names makes two keys equal and no name of a person stands in a key; the shard is the
/// hash tag, so that all keys of one script lie on one node of a cluster.
/// </summary>
internal sealed class RedisKeys(string prefix)
{
    /// <summary>Enough that 30 nodes share the load evenly, few enough to check all at start.</summary>
    public const int Shards = 256;

    private readonly RedisKey[] _epochs = [.. Enumerable.Range(0, Shards).Select(shard => (RedisKey)$"{prefix}:{{{shard:x2}}}:epoch")];

    public string Channel { get; } = prefix + ":halts";

    public RedisKey Epoch(int shard) => _epochs[shard];

    public RedisKey Of(int shard, string kind, string digest) => $"{prefix}:{{{shard:x2}}}:{kind}:{digest}";

    /// <summary>The shard of what belongs to one user, server or other owner.</summary>
    public static int ShardOf(char kind, string? owner)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(kind, hash, owner);
        return hash[0];
    }

    /// <summary>32 hexadecimal digits: 128 bits of SHA-256, out of reach for who looks for two names with one key.</summary>
    public static string Digest(char kind, params ReadOnlySpan<string?> parts)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(kind, hash, parts);
        return Convert.ToHexStringLower(hash[..16]);
    }

    /// <summary>64 hexadecimal digits of SHA-256.</summary>
    public static string FullDigest(string? part)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash('f', hash, part);
        return Convert.ToHexStringLower(hash);
    }

    private static void Hash(char kind, Span<byte> hash, params ReadOnlySpan<string?> parts)
    {
        int size = 2;
        foreach (string? part in parts)
        {
            size += 4 + (part?.Length ?? 0) * sizeof(char);
        }

        byte[]? rented = null;
        Span<byte> buffer = size <= 1024 ? stackalloc byte[1024] : rented = new byte[size];
        BinaryPrimitives.WriteUInt16LittleEndian(buffer, kind);
        int at = 2;
        foreach (string? part in parts)
        {
            // UTF-16 as it is: a half surrogate pair must not become the same replacement character as another one.
            BinaryPrimitives.WriteInt32LittleEndian(buffer[at..], part?.Length ?? -1);
            at += 4;
            if (part is not null)
            {
                System.Runtime.InteropServices.MemoryMarshal.AsBytes(part.AsSpan()).CopyTo(buffer[at..]);
                at += part.Length * sizeof(char);
            }
        }

        SHA256.HashData(buffer[..at], hash);
    }
}
