using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// SHA-256 over the whole definition of a tool in canonical form. No list of fields is kept: a field that a later protocol version adds,
/// and one that only some models read, counts like the others.
/// </summary>
internal static class ToolFingerprint
{
    // The domains keep a definition from being passed off as instructions, and let a later version change the form.
    private static ReadOnlySpan<byte> ToolDomain => "mcp-guard tool definition 1\n"u8;

    private static ReadOnlySpan<byte> InstructionsDomain => "mcp-guard server instructions 1\n"u8;

    /// <summary>What a definition may measure: 1 MiB, depth 64, 50,000 values. One that is larger has no fingerprint, and its tool cannot be used.</summary>
    public static JsonLimits Limits { get; } = new(1024 * 1024, 64, 50_000);

    /// <summary>The fingerprint of a definition, lower-case hexadecimal; null with the reason where the definition has no single meaning.</summary>
    public static JsonFault TryOfTool(JsonElement definition, out string? fingerprint)
    {
        Span<byte> hash = stackalloc byte[CanonicalJson.HashLength];
        JsonFault fault = definition.ValueKind == JsonValueKind.Object
            ? CanonicalJson.TryHash(ToolDomain, definition, Limits, hash)
            : JsonFault.Malformed;
        fingerprint = fault == JsonFault.None ? Convert.ToHexStringLower(hash) : null;
        return fault;
    }

    /// <summary>The canonical text of a definition, kept with its pin so that a change can be shown; null where it is refused.</summary>
    public static string? CanonicalText(JsonElement definition)
    {
        var text = new ArrayBufferWriter<byte>();
        return CanonicalJson.TryWrite(definition, Limits, text) == JsonFault.None ? Encoding.UTF8.GetString(text.WrittenSpan) : null;
    }

    /// <summary>The fingerprint of a server's instructions; null where it gives none. Every UTF-16 code unit counts, lone surrogates included.</summary>
    public static string? OfInstructions(string? instructions)
    {
        if (instructions is null)
        {
            return null;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(InstructionsDomain);
        Span<byte> block = stackalloc byte[1024];
        for (ReadOnlySpan<char> rest = instructions; !rest.IsEmpty;)
        {
            int units = Math.Min(rest.Length, block.Length / 2);
            for (int i = 0; i < units; i++)
            {
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(block[(2 * i)..], rest[i]);
            }

            hash.AppendData(block[..(2 * units)]);
            rest = rest[units..];
        }

        hash.GetHashAndReset(block[..CanonicalJson.HashLength]);
        return Convert.ToHexStringLower(block[..CanonicalJson.HashLength]);
    }

    /// <summary>
    /// Whether two fingerprints are the same. They are no secrets: the server knows both definitions, so the time of the comparison tells nothing.
    /// </summary>
    public static bool Same(string? left, string? right) =>
        left is { Length: 2 * CanonicalJson.HashLength } && string.Equals(left, right, StringComparison.Ordinal);
}
