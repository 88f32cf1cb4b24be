using System.Buffers;

namespace Mcp.Guard.Audit;

/// <summary>Judges and reads hashes as the log writes them: lower-case hexadecimal digits only, so that one hash has one text.</summary>
internal static class AuditHex
{
    private static readonly SearchValues<byte> Utf8Digits = SearchValues.Create("0123456789abcdef"u8);
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    public static bool IsHash(ReadOnlySpan<byte> text) => text.Length == AuditChain.HexChars && !text.ContainsAnyExcept(Utf8Digits);

    public static bool IsHash(ReadOnlySpan<char> text) => text.Length == AuditChain.HexChars && !text.ContainsAnyExcept(Digits);

    /// <summary>The bytes of a hash that <see cref="IsHash(ReadOnlySpan{byte})"/> accepts.</summary>
    public static void Decode(ReadOnlySpan<byte> hash, Span<byte> bytes) => Convert.FromHexString(hash, bytes, out _, out _);
}
