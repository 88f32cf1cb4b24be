using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>Tells from the text of a short value that words of ASCII letters do not occur in it, as names or in strings, which spares a walk over its members.</summary>
internal static class JsonWords
{
    /// <summary>In a longer text the walk, which steps over long strings, is the quicker one.</summary>
    private const int MaxSearched = 4 * 1024;

    /// <summary>True where the word surely does not occur; false where it may.</summary>
    public static bool Lacks(JsonElement value, ReadOnlySpan<byte> word) =>
        TryRead(value, out ReadOnlySpan<byte> text) && text.IndexOf(word) < 0;

    /// <summary>The same for three words.</summary>
    public static bool Lacks(JsonElement value, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) =>
        TryRead(value, out ReadOnlySpan<byte> text) && text.IndexOf(first) < 0 && text.IndexOf(second) < 0 && text.IndexOf(third) < 0;

    private static bool TryRead(JsonElement value, out ReadOnlySpan<byte> text)
    {
        text = value.ValueKind == JsonValueKind.Undefined ? default : JsonMarshal.GetRawUtf8Value(value);

        // A letter can be written in one other way, as \uXXXX (RFC 8259 section 7).
        return text.Length <= MaxSearched && text.IndexOf("\\u"u8) < 0;
    }
}
