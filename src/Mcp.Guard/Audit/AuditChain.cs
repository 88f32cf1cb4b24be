using System.Security.Cryptography;

namespace Mcp.Guard.Audit;

/// <summary>The hash that links the records: SHA-256, or HMAC-SHA-256 where the host gave a key.</summary>
internal sealed class AuditChain
{
    public const int HashBytes = SHA256.HashSizeInBytes;
    public const int HexChars = HashBytes * 2;
    public const string PlainAlgorithm = "sha-256";
    public const string KeyedAlgorithm = "hmac-sha-256";

    private readonly byte[]? _key;

    public AuditChain(ReadOnlySpan<byte> key)
    {
        if (!key.IsEmpty)
        {
            _key = key.ToArray();
            KeyId = Identify(key);
        }
    }

    public bool IsKeyed => _key is not null;

    public string Algorithm => _key is null ? PlainAlgorithm : KeyedAlgorithm;

    /// <summary>Names the key without telling it; null where there is none.</summary>
    public string? KeyId { get; }

    public void Hash(ReadOnlySpan<byte> content, Span<byte> hash)
    {
        if (_key is null)
        {
            SHA256.HashData(content, hash);
        }
        else
        {
            HMACSHA256.HashData(_key, content, hash);
        }
    }

    public static string Identify(ReadOnlySpan<byte> key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, "mcp-guard audit key id"u8).AsSpan(0, 8));
}
