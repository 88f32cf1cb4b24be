using System.Security.Cryptography;

namespace Mcp.Guard.Audit;

/// <summary>
/// Keyed digests of what the log does not hold in clear. A plain hash of a PIN tells the PIN to whoever tries all of them; this one tells nothing
/// without the key, which stays in the log's folder and is never exported.
/// </summary>
internal sealed class AuditDigest
{
    public const string Prefix = "hmac-sha256:";
    public const string PlainPrefix = "sha256:";
    public const int KeyBytes = 32;

    private readonly byte[] _key;

    public AuditDigest(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, KeyBytes);
        _key = key.ToArray();
    }

    /// <summary>The digest of a value that is not recorded in clear.</summary>
    public string Of(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, value, hash);
        return string.Concat(Prefix, Convert.ToHexStringLower(hash));
    }
}
