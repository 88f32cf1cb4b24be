using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>Measures a result in one pass over its UTF-8 text, without a copy and without recursion, and stops at the first limit that it passes.</summary>
internal static class ResultGauge
{
    /// <summary>Measures a value that was read already.</summary>
    public static ResultSize Measure(JsonElement value, ResultLimits limits)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            return ResultSize.Fits;
        }

        ReadOnlySpan<byte> utf8 = JsonMarshal.GetRawUtf8Value(value);
        return IsSurelySmall(utf8, limits) ? ResultSize.Fits : Measure(utf8, limits);
    }

    /// <summary>A text that was read already holds no more values than it has bytes, and is no deeper than it has opening brackets: a short one need not be walked.</summary>
    private static bool IsSurelySmall(ReadOnlySpan<byte> utf8, ResultLimits limits) =>
        utf8.Length <= limits.MaxItems && utf8.Length <= limits.MaxBytes && utf8.Count((byte)'{') + utf8.Count((byte)'[') <= limits.MaxDepth;

    /// <summary>Measures JSON text.</summary>
    public static ResultSize Measure(ReadOnlySpan<byte> utf8, ResultLimits limits)
    {
        if (utf8.Length > limits.MaxBytes)
        {
            return ResultSize.TooManyBytes;
        }

        // One deeper than permitted, so that passing the limit is seen here before the reader throws.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
        int items = 0;
        int depth = 0;
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartArray or JsonTokenType.StartObject:
                        items++;
                        if (++depth > limits.MaxDepth)
                        {
                            return ResultSize.TooDeep;
                        }

                        break;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        depth--;
                        break;
                    case JsonTokenType.PropertyName:
                        break;
                    default:
                        items++;
                        break;
                }

                if (items > limits.MaxItems)
                {
                    return ResultSize.TooManyItems;
                }
            }
        }
        catch (JsonException)
        {
            return ResultSize.Unreadable;
        }

        return ResultSize.Fits;
    }
}
