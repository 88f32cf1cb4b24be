using System.Globalization;
using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>JSON Pointers (RFC 6901) to tokens. Found by walking down from the root, because only errors need them.</summary>
internal static class JsonLocation
{
    /// <summary>The longest pointer written; names come from outside and may be long.</summary>
    private const int MaxLength = 1_024;

    public static string Of(in JsonView view, int token)
    {
        var pointer = new StringBuilder();
        Append(pointer, view, token);
        return pointer.ToString();
    }

    public static void Append(StringBuilder pointer, in JsonView view, int token)
    {
        int at = 0;
        while (at != token)
        {
            if (pointer.Length > MaxLength)
            {
                pointer.Length = MaxLength;
                pointer.Append('…');
                return;
            }

            ref readonly JsonToken container = ref view.Tokens[at];
            bool isObject = container.Type == JsonTypes.Object;
            int next = at + 1;
            int from = at;
            for (int i = 0; i < container.Count; i++)
            {
                int value = isObject ? next + 1 : next;
                int after = view.After(value);
                if (token < after)
                {
                    pointer.Append('/');
                    if (isObject)
                    {
                        AppendName(pointer, view.Bytes(view.Tokens[next]));
                    }
                    else
                    {
                        pointer.Append(i.ToString(CultureInfo.InvariantCulture));
                    }

                    // A name's own location is its member's.
                    at = token == next ? token : value;
                    break;
                }

                next = after;
            }

            if (at == from)
            {
                // A token that lies in no container: not of this text.
                return;
            }
        }
    }

    private static void AppendName(StringBuilder pointer, ReadOnlySpan<byte> name)
    {
        string text = Encoding.UTF8.GetString(name.Length > MaxLength ? name[..MaxLength] : name);
        pointer.Append(text.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
    }
}
