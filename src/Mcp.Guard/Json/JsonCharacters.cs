using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>
/// The characters of one JSON string or property name in a pooled buffer: escapes undone, lone surrogates kept (the string API of
/// System.Text.Json throws on them), bytes that are no UTF-8 read as U+FFFD.
/// </summary>
internal ref struct JsonCharacters
{
    private char[]? rented;

    private JsonCharacters(ReadOnlySpan<byte> inside)
    {
        rented = ArrayPool<char>.Shared.Rent(Math.Max(1, inside.Length));
        int length = Encoding.UTF8.GetChars(inside, rented);
        if (inside.Contains((byte)'\\'))
        {
            length = UnescapeInPlace(rented.AsSpan(0, length));
        }

        Span = rented.AsSpan(0, length);
    }

    public ReadOnlySpan<char> Span { get; }

    /// <summary>The characters of a string value.</summary>
    public static JsonCharacters Of(JsonElement text) => new(JsonMarshal.GetRawUtf8Value(text)[1..^1]);

    /// <summary>The characters of a property's name.</summary>
    public static JsonCharacters NameOf(JsonProperty property) => new(JsonMarshal.GetRawUtf8PropertyName(property));

    public void Dispose()
    {
        if (rented is not null)
        {
            ArrayPool<char>.Shared.Return(rented, clearArray: true);
            rented = null;
        }
    }

    /// <summary>Undoes the escapes of a string that a parser accepted; the result is never longer.</summary>
    private static int UnescapeInPlace(Span<char> text)
    {
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c != '\\' || i + 1 == text.Length)
            {
                text[length++] = c;
                continue;
            }

            c = text[++i];
            switch (c)
            {
                case 'b':
                    c = '\b';
                    break;
                case 'f':
                    c = '\f';
                    break;
                case 'n':
                    c = '\n';
                    break;
                case 'r':
                    c = '\r';
                    break;
                case 't':
                    c = '\t';
                    break;
                case 'u' when i + 4 < text.Length:
                    c = (char)ushort.Parse(text.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                    i += 4;
                    break;
                default:
                    break;
            }

            text[length++] = c;
        }

        return length;
    }
}
