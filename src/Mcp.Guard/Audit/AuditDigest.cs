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
    private IncrementalHash? _kept;

    public AuditDigest(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, KeyBytes);
        _key = key.ToArray();
    }

    /// <summary>The digest of a value that is not recorded in clear.</summary>
    public string Of(ReadOnlySpan<byte> value)
    {
        // One state is kept for the next digest: making it costs more than hashing a small value. Who finds none makes its own.
        IncrementalHash state = Interlocked.Exchange(ref _kept, null) ?? IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        state.AppendData(value);
        state.GetHashAndReset(hash);
        Interlocked.Exchange(ref _kept, state)?.Dispose();
        return string.Create(Prefix.Length + (2 * HMACSHA256.HashSizeInBytes), (ReadOnlySpan<byte>)hash, static (text, bytes) =>
        {
            Prefix.CopyTo(text);
            Convert.TryToHexStringLower(bytes, text[Prefix.Length..], out _);
        });
    }
}
