using System.Security.Cryptography;

namespace Mcp.Guard.Audit;

/// <summary>
/// The hash that links the records: SHA-256, or HMAC-SHA-256 where the host gave a key. Used by one thread: the state of the algorithm is kept and set back,
/// because making it anew costs more than hashing a record with it.
/// </summary>
internal sealed class AuditChain : IDisposable
{
    public const int HashBytes = SHA256.HashSizeInBytes;
    public const int HexChars = HashBytes * 2;
    public const string PlainAlgorithm = "sha-256";
    public const string KeyedAlgorithm = "hmac-sha-256";

    private readonly IncrementalHash _hash;

    public AuditChain(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
        {
            _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        }
        else
        {
            _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
            KeyId = Identify(key);
        }
    }

    public bool IsKeyed => KeyId is not null;

    public string Algorithm => IsKeyed ? KeyedAlgorithm : PlainAlgorithm;

    /// <summary>Names the key without telling it; null where there is none.</summary>
    public string? KeyId { get; }

    public void Hash(ReadOnlySpan<byte> content, Span<byte> hash)
    {
        _hash.AppendData(content);
        _hash.GetHashAndReset(hash);
    }

    public void Dispose() => _hash.Dispose();

    public static string Identify(ReadOnlySpan<byte> key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, "mcp-guard audit key id"u8).AsSpan(0, 8));
}
