using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Tests.Json;

/// <summary>A JSON value that prints itself in many ways, all of the same meaning.</summary>
internal sealed class JsonSample
{
    private readonly string? _raw;
    private readonly string? _text;
    private readonly JsonSample[]? _items;
    private readonly (string Name, JsonSample Value)[]? _members;

    private JsonSample(string? raw, string? text, JsonSample[]? items, (string Name, JsonSample Value)[]? members)
    {
        _raw = raw;
        _text = text;
        _items = items;
        _members = members;
    }

    public static JsonSample Raw(string raw) => new(raw, null, null, null);

    public static JsonSample Text(string text) => new(null, text, null, null);

    public static JsonSample List(JsonSample[] items) => new(null, null, items, null);

    public static JsonSample Object((string Name, JsonSample Value)[] members) =>
        new(null, null, null, [.. members.DistinctBy(member => member.Name, StringComparer.Ordinal)]);

    /// <summary>Prints the value; the seed chooses member order, white space and escapes.</summary>
    public string Print(int seed)
    {
        var text = new StringBuilder();
        uint state = (uint)seed;
        Print(text, ref state);
        return text.ToString();
    }

    public override string ToString() => Print(0);

    private void Print(StringBuilder text, ref uint state)
    {
        Blank(text, ref state);
        if (_raw is not null)
        {
            text.Append(_raw);
        }
        else if (_text is not null)
        {
            PrintText(text, _text, ref state);
        }
        else if (_items is not null)
        {
            text.Append('[');
            for (int i = 0; i < _items.Length; i++)
            {
                text.Append(i == 0 ? "" : ",");
                _items[i].Print(text, ref state);
            }

            Blank(text, ref state);
            text.Append(']');
        }
        else
        {
            text.Append('{');
            int start = _members!.Length == 0 ? 0 : (int)(Next(ref state) % (uint)_members.Length);
            for (int i = 0; i < _members.Length; i++)
            {
                text.Append(i == 0 ? "" : ",");
                (string name, JsonSample value) = _members[(start + i) % _members.Length];
                Blank(text, ref state);
                PrintText(text, name, ref state);
                Blank(text, ref state);
                text.Append(':');
                value.Print(text, ref state);
            }

            text.Append('}');
        }

        Blank(text, ref state);
    }

    private static void PrintText(StringBuilder text, string value, ref uint state)
    {
        if (Next(ref state) % 2 == 0)
        {
            text.Append(JsonSerializer.Serialize(value, Properties.StringInfo));
            return;
        }

        text.Append('"');
        foreach (char c in value)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        text.Append('"');
    }

    private static void Blank(StringBuilder text, ref uint state) => text.Append((Next(ref state) % 6) switch
    {
        1 => " ",
        2 => "\n\t",
        3 => "\r\n",
        _ => "",
    });

    private static uint Next(ref uint state)
    {
        if (state != 0)
        {
            state = state * 1664525 + 1013904223;
        }

        return state >> 16;
    }
}
