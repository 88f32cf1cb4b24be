using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>
/// Cuts a <c>tools/call</c> result to a number of bytes and says so in a block of its own. Only text can be cut: a block of another kind is kept whole or
/// left out, and a result with <c>structuredContent</c> is not cut, since half a value would pass for a whole one.
/// </summary>
internal static class TextResultCutter
{
    /// <summary>What the notice and the members around the content take, at most.</summary>
    private const int FrameBytes = 256;

    private const int MaxAttempts = 8;

    /// <summary>Cuts a result so that its JSON text, the notice included, has at most so many bytes.</summary>
    /// <returns>The cut result, or null where it cannot be cut: deny it.</returns>
    public static JsonElement? Cut(JsonElement result, long maxBytes)
    {
        try
        {
            return CutReadable(result, maxBytes);
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate in a name or a type: JsonElement refuses to compare it.
            return null;
        }
    }

    private static JsonElement? CutReadable(JsonElement result, long maxBytes)
    {
        if (result.ValueKind != JsonValueKind.Object
            || result.TryGetProperty("structuredContent", out _)
            || !result.TryGetProperty("content", out JsonElement content)
            || content.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        // Escapes can make the beginning of a text longer than it was: then the room for it is searched, which ends after a few halvings.
        JsonElement? best = null;
        long low = 0;
        long high = maxBytes - FrameBytes;
        long room = high;
        for (int attempt = 0; attempt < MaxAttempts && low <= high; attempt++)
        {
            var buffer = new ArrayBufferWriter<byte>();
            Write(result, content, room, buffer);
            if (buffer.WrittenCount <= maxBytes)
            {
                using JsonDocument cut = JsonDocument.Parse(buffer.WrittenMemory);
                best = cut.RootElement.Clone();
                low = room + 1;
            }
            else
            {
                high = room - 1;
            }

            room = low + ((high - low) / 2);
        }

        return best;
    }

    private static void Write(JsonElement result, JsonElement content, long room, ArrayBufferWriter<byte> buffer)
    {
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteStartArray("content");
        WriteBlocks(writer, content, room, JsonMarshal.GetRawUtf8Value(result).Length);
        writer.WriteEndArray();
        if (result.TryGetProperty("isError", out JsonElement isError) && isError.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            writer.WriteBoolean("isError", isError.GetBoolean());
        }

        if (result.TryGetProperty("resultType", out JsonElement type) && type.ValueKind == JsonValueKind.String && JsonText.GetString(type) is { Length: <= 32 } name)
        {
            writer.WriteString("resultType", name);
        }

        writer.WriteEndObject();
    }

    private static void WriteBlocks(Utf8JsonWriter writer, JsonElement content, long maxBytes, long wholeBytes)
    {
        long left = maxBytes;
        int whole = 0;
        int blocks = content.GetArrayLength();
        foreach (JsonElement block in content.EnumerateArray())
        {
            ReadOnlySpan<byte> raw = JsonMarshal.GetRawUtf8Value(block);
            if (raw.Length <= left)
            {
                writer.WriteRawValue(raw, skipInputValidation: true);
                left -= raw.Length;
                whole++;
                continue;
            }

            if (block.ValueKind == JsonValueKind.Object
                && block.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text"u8)
                && block.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String)
            {
                writer.WriteStartObject();
                writer.WriteString("type", "text"u8);
                writer.WriteString("text", Prefix(JsonText.GetString(text), left));
                writer.WriteEndObject();
            }

            break;
        }

        writer.WriteStartObject();
        writer.WriteString("type", "text"u8);
        writer.WriteString(
            "text",
            string.Create(
                CultureInfo.InvariantCulture,
                $"[Cut by the host: the result has {wholeBytes} bytes in {blocks} blocks, of which about {maxBytes} bytes may pass; {whole} blocks are whole.]"));
        writer.WriteEndObject();
    }

    /// <summary>The longest beginning of a text that has at most so many bytes in UTF-8 and ends between two characters.</summary>
    private static ReadOnlySpan<char> Prefix(string text, long maxBytes)
    {
        // No UTF-16 unit takes more than three bytes.
        int bytes = (int)Math.Min(maxBytes, Math.Min(Array.MaxLength, 3L * text.Length));
        byte[] room = ArrayPool<byte>.Shared.Rent(bytes);
        Utf8.FromUtf16(text, room.AsSpan(0, bytes), out int read, out _, replaceInvalidSequences: true);
        ArrayPool<byte>.Shared.Return(room);
        return text.AsSpan(0, read);
    }
}
