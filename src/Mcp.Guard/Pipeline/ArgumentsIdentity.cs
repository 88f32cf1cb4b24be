using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>The identity of arguments for consent, continuations and loop detection: SHA-256 over their canonical form.</summary>
internal static class ArgumentsIdentity
{
    private static readonly JsonElement None = JsonElement.Parse("{}");

    /// <summary>Lower-case hexadecimal; absent arguments are the same as an empty object.</summary>
    /// <exception cref="InvalidOperationException">The arguments have no canonical form; a stage that needs one then denies.</exception>
    public static string Digest(JsonElement arguments)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        JsonElement value = arguments.ValueKind == JsonValueKind.Undefined ? None : arguments;
        JsonFault fault = CanonicalJson.TryHash("mcp-guard/arguments/1"u8, value, JsonLimits.Message, hash);
        return fault == JsonFault.None
            ? Convert.ToHexStringLower(hash)
            : throw new InvalidOperationException($"The arguments have no canonical form: {JsonAdmission.Describe(fault)}.");
    }
}
