using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// Takes the one copy of a message's value that is judged and forwarded. The node is written out once and never indexed before: an object with
/// duplicate keys throws at the first index but writes out unharmed. What a caller changes in its own node afterwards has no effect.
/// </summary>
internal static class MessageSnapshot
{
    private static readonly JsonDocumentOptions Strict = new()
    {
        AllowDuplicateProperties = false,
        AllowTrailingCommas = false,
        CommentHandling = JsonCommentHandling.Disallow,
        MaxDepth = MessageLimits.MaxDepth,
    };

    private static readonly JsonWriterOptions WriterOptions = new() { MaxDepth = MessageLimits.MaxDepth + 1, SkipValidation = true };

    /// <summary>The longest buffer that a thread keeps.</summary>
    private const int MaxKeptBytes = 64 * 1024;

    private const string NotAcceptable = "the value is not acceptable JSON: duplicate keys, nested deeper than 64, or malformed";

    [ThreadStatic]
    private static Scratch? t_scratch;

    /// <summary>Copies a value; on failure says in words of the guard what is wrong with it.</summary>
    public static bool TryTake(JsonNode? node, int maxBytes, out JsonElement payload, out string fault)
    {
        payload = default;
        fault = string.Empty;
        if (node is null)
        {
            return true;
        }

        Scratch? scratch = Write(node, out fault);
        try
        {
            return scratch is not null && TryParse(scratch.Buffer.WrittenSpan, maxBytes, out payload, out fault);
        }
        finally
        {
            scratch?.Return();
        }
    }

    /// <summary>Copies the parameters of a request, read once for all who judge them.</summary>
    public static bool TryTakeRequest(JsonNode? node, out RequestPayload payload, out string fault)
    {
        payload = RequestPayload.None;
        fault = string.Empty;
        if (node is null)
        {
            return true;
        }

        Scratch? scratch = Write(node, out fault);
        try
        {
            return scratch is not null && TryReadRequest(scratch.Buffer.WrittenSpan, out payload, out fault);
        }
        finally
        {
            scratch?.Return();
        }
    }

    /// <summary>The same for JSON text.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> utf8, out RequestPayload payload, out string fault)
    {
        JsonTextFault text = JsonReading.TryRead(utf8, out JsonReading? reading);
        if (reading is not null)
        {
            payload = RequestPayload.Of(reading);
            fault = string.Empty;
            return true;
        }

        payload = RequestPayload.None;
        if (!TryParse(utf8, MessageLimits.MaxRequestBytes, out JsonElement element, out fault))
        {
            return false;
        }

        if (!JsonReading.IsLimit(text))
        {
            // What two readers do not agree about is accepted by none.
            fault = NotAcceptable;
            return false;
        }

        payload = RequestPayload.Of(element);
        return true;
    }

    /// <summary>Writes a node out; null with the fault where it cannot be. The caller returns what it gets.</summary>
    private static Scratch? Write(JsonNode node, out string fault)
    {
        // Taken while it is used: what a node's own conversion calls may come back here.
        Scratch scratch = t_scratch ?? new Scratch();
        t_scratch = null;
        try
        {
            node.WriteTo(scratch.Writer);
            scratch.Writer.Flush();
            fault = string.Empty;
            return scratch;
        }
        catch (Exception unreadable)
        {
            scratch.Return();
            if (unreadable is not (JsonException or InvalidOperationException or ArgumentException or NotSupportedException))
            {
                throw;
            }

            fault = "the value cannot be written as JSON (too deep, or text that is no Unicode)";
            return null;
        }
    }

    /// <summary>Parses JSON text strictly into a detached value.</summary>
    public static bool TryParse(ReadOnlySpan<byte> utf8, int maxBytes, out JsonElement payload, out string fault)
    {
        payload = default;
        if (utf8.Length > maxBytes)
        {
            fault = $"the value has {utf8.Length} bytes, more than {maxBytes}";
            return false;
        }

        // The parser lets pass what is no UTF-8 inside strings; readers of it do not agree on what it means.
        if (!Utf8.IsValid(utf8))
        {
            fault = "the value is not UTF-8";
            return false;
        }

        if (HasLoneSurrogateEscape(utf8))
        {
            fault = "a string holds half of a surrogate pair";
            return false;
        }

        try
        {
            // The element owns its copy of the text: nothing pooled outlives the call.
            payload = JsonElement.Parse(utf8, Strict);
            fault = string.Empty;
            return true;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            fault = NotAcceptable;
            return false;
        }
    }

    /// <summary>A JSON string may escape half of a surrogate pair (RFC 8259 section 8.2); no receiver agrees with another on what it means.</summary>
    private static bool HasLoneSurrogateEscape(ReadOnlySpan<byte> utf8)
    {
        int at = 0;
        bool highBefore = false;
        while (true)
        {
            int next = utf8[at..].IndexOf((byte)'\\');
            if (next < 0)
            {
                return highBefore;
            }

            if (highBefore && next > 0)
            {
                return true;
            }

            at += next;
            if (at + 1 >= utf8.Length)
            {
                return highBefore;
            }

            if (utf8[at + 1] != (byte)'u' || at + 5 >= utf8.Length)
            {
                if (highBefore)
                {
                    return true;
                }

                at += 2;
                continue;
            }

            int unit = 0;
            for (int i = 2; i < 6; i++)
            {
                int digit = utf8[at + i] switch
                {
                    >= (byte)'0' and <= (byte)'9' and var d => d - '0',
                    >= (byte)'a' and <= (byte)'f' and var d => d - 'a' + 10,
                    >= (byte)'A' and <= (byte)'F' and var d => d - 'A' + 10,
                    _ => 0,
                };
                unit = (unit << 4) | digit;
            }

            bool isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (highBefore != isLow)
            {
                return true;
            }

            highBefore = unit is >= 0xD800 and <= 0xDBFF;
            at += 6;
        }
    }

    /// <summary>What a thread writes messages out with; empty between them, so that nothing of one caller is left for the next.</summary>
    private sealed class Scratch
    {
        public Scratch() => Writer = new Utf8JsonWriter(Buffer, WriterOptions);

        public ArrayBufferWriter<byte> Buffer { get; } = new(1024);

        public Utf8JsonWriter Writer { get; }

        /// <summary>Leaves it to the thread's next message.</summary>
        public void Return()
        {
            if (Buffer.Capacity <= MaxKeptBytes)
            {
                Writer.Reset();
                Buffer.Clear();
                t_scratch = this;
            }
        }
    }
}
