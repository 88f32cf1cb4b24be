using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Json;

/// <summary>The digest of a call's arguments that a consent is bound to: SHA-256 over the canonical form.</summary>
internal static class ArgumentsDigest
{
    private static ReadOnlySpan<byte> Domain => "mcp-guard arguments 1\n"u8;

    // Absent arguments are not {}: a server may tell them apart, so a consent for one does not cover the other.
    private static readonly string OfNothing = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Domain));

    /// <summary>The digest of a JSON text.</summary>
    public static JsonFault TryCompute(ReadOnlySpan<byte> arguments, Span<byte> digest) =>
        CanonicalJson.TryHash(Domain, arguments, JsonLimits.Message, digest);

    /// <summary>The digest as lower-case hexadecimal, the form of <see cref="ConsentBinding.ArgumentsDigest"/>; null where the arguments are refused.</summary>
    public static JsonFault TryCompute(JsonElement arguments, out string? digest)
    {
        if (arguments.ValueKind == JsonValueKind.Undefined)
        {
            digest = OfNothing;
            return JsonFault.None;
        }

        Span<byte> hash = stackalloc byte[CanonicalJson.HashLength];
        JsonFault fault = CanonicalJson.TryHash(Domain, arguments, JsonLimits.Message, hash);
        digest = fault == JsonFault.None ? Convert.ToHexStringLower(hash) : null;
        return fault;
    }

    /// <summary>The same for arguments that were read already.</summary>
    public static string Compute(in JsonView view, int token)
    {
        Span<byte> hash = stackalloc byte[CanonicalJson.HashLength];
        CanonicalJson.Hash(Domain, in view, token, hash);
        return Convert.ToHexStringLower(hash);
    }
}
