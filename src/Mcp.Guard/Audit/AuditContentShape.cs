using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>
/// The form of a JSON value without its content: names of members, and for each value its type and, of a text, its length in bytes. A name that does not
/// look like one (a map keyed by addresses, for example) is content and replaced by its length.
/// </summary>
internal static class AuditContentShape
{
    private const int MaxDepth = 16;
    private const int MaxValues = 256;
    private const int MaxNameBytes = 64;

    public static JsonElement Of(JsonElement value)
    {
        var buffer = new AuditBuffer();
        int left = MaxValues;
        Write(value, buffer, 0, ref left);
        var reader = new Utf8JsonReader(buffer.Written);
        return JsonElement.ParseValue(ref reader);
    }

    private static void Write(JsonElement value, AuditBuffer buffer, int depth, ref int left)
    {
        left--;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when depth < MaxDepth && left > 0:
                WriteObject(value, buffer, depth, ref left);
                break;
            case JsonValueKind.Array when depth < MaxDepth && left > 0:
                WriteArray(value, buffer, depth, ref left);
                break;
            case JsonValueKind.String:
                buffer.Text(string.Create(CultureInfo.InvariantCulture, $"string({JsonMarshal.GetRawUtf8Value(value).Length - 2})"));
                break;
            case JsonValueKind.Number:
                buffer.Raw("\"number\""u8);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                buffer.Raw("\"boolean\""u8);
                break;
            case JsonValueKind.Null:
                buffer.Raw("null"u8);
                break;
            default:
                buffer.Raw("\"...\""u8);
                break;
        }
    }

    private static void WriteObject(JsonElement value, AuditBuffer buffer, int depth, ref int left)
    {
        buffer.Raw((byte)'{');
        bool isFirst = true;
        int unnamed = 0;
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (!isFirst)
            {
                buffer.Raw((byte)',');
            }

            isFirst = false;
            if (left <= 0)
            {
                buffer.Raw("\"...\":null"u8);
                break;
            }

            ReadOnlySpan<byte> name = JsonMarshal.GetRawUtf8PropertyName(member);
            if (LooksLikeName(name))
            {
                buffer.Raw((byte)'"');
                buffer.Raw(name);
                buffer.Raw((byte)'"');
            }
            else
            {
                buffer.Text(string.Create(CultureInfo.InvariantCulture, $"name {++unnamed} ({name.Length})"));
            }

            buffer.Raw((byte)':');
            Write(member.Value, buffer, depth + 1, ref left);
        }

        buffer.Raw((byte)'}');
    }

    private static void WriteArray(JsonElement value, AuditBuffer buffer, int depth, ref int left)
    {
        buffer.Raw((byte)'[');
        bool isFirst = true;
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (!isFirst)
            {
                buffer.Raw((byte)',');
            }

            isFirst = false;
            if (left <= 0)
            {
                buffer.Raw("\"...\""u8);
                break;
            }

            Write(item, buffer, depth + 1, ref left);
        }

        buffer.Raw((byte)']');
    }

    /// <summary>A short word of letters, digits and the usual separators, with no more than six digits in a row.</summary>
    private static bool LooksLikeName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > MaxNameBytes)
        {
            return false;
        }

        int digits = 0;
        foreach (byte b in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'_' or (byte)'-' or (byte)'.' or (byte)'$'))
            {
                return false;
            }

            digits = char.IsAsciiDigit((char)b) ? digits + 1 : 0;
            if (digits > 6)
            {
                return false;
            }
        }

        return true;
    }
}
