using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Mcp.Guard.Json;

/// <summary>
/// A JSON value being written again with some of its strings changed: what did not change is copied byte for byte, numbers keep their
/// digits, and two names of one object that became equal are told apart.
/// </summary>
internal sealed class JsonOutput : IDisposable
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = 1000 };

    private readonly ArrayBufferWriter<byte> buffer = new();
    private readonly Utf8JsonWriter writer;

    public JsonOutput()
    {
        writer = new Utf8JsonWriter(buffer, Options);
    }

    /// <summary>Whether anything was written that differs from the source.</summary>
    public bool Changed { get; private set; }

    public Utf8JsonWriter Writer => writer;

    public ReadOnlyMemory<byte> Finish()
    {
        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>Copies a value as it stands.</summary>
    public void Copy(JsonElement value) => writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);

    /// <summary>Copies a string as it stands where its bytes are UTF-8; other bytes become U+FFFD.</summary>
    public void CopyString(JsonElement value)
    {
        if (Utf8.IsValid(JsonMarshal.GetRawUtf8Value(value)))
        {
            Copy(value);
            return;
        }

        using var text = JsonCharacters.Of(value);
        Replace(text.Span.ToString());
    }

    /// <summary>Writes a string in place of another value.</summary>
    public void Replace(string text)
    {
        Changed = true;
        writer.WriteStringValue(WellFormed(text));
    }

    /// <summary>
    /// Writes the names of an object's properties: <paramref name="names"/> holds null where a name stays. A changed name that another
    /// property already has gets <c>~2</c>, <c>~3</c> and so on; the property that had the name from the start keeps it.
    /// </summary>
    public static string?[] Settle(JsonElement value, string?[] names)
    {
        HashSet<string>? taken = null;
        int index = 0;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (names[index++] is null)
            {
                using var name = JsonCharacters.NameOf(property);
                (taken ??= new(StringComparer.Ordinal)).Add(WellFormed(name.Span.ToString()));
            }
        }

        taken ??= new(StringComparer.Ordinal);
        var next = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
        {
            if (names[i] is not { } wanted)
            {
                continue;
            }

            wanted = WellFormed(wanted);
            string name = wanted;
            next.TryGetValue(wanted, out int number);
            number = Math.Max(2, number);
            while (!taken.Add(name))
            {
                name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{wanted}~{number++}");
            }

            next[wanted] = number;
            names[i] = name;
        }

        return names;
    }

    /// <summary>Writes a property's name: the settled one, or the source's own where that is null.</summary>
    public void WriteName(JsonProperty property, string? settled)
    {
        if (settled is not null)
        {
            Changed = true;
            writer.WritePropertyName(settled);
            return;
        }

        using var name = JsonCharacters.NameOf(property);
        writer.WritePropertyName(WellFormed(name.Span.ToString()));
    }

    public void Dispose() => writer.Dispose();

    /// <summary>A writer refuses lone surrogates; they become U+FFFD.</summary>
    private static string WellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    i++;
                    continue;
                }

                return Mend(text);
            }
        }

        return text;
    }

    private static string Mend(string text)
    {
        char[] characters = text.ToCharArray();
        for (int i = 0; i < characters.Length; i++)
        {
            if (i + 1 < characters.Length && char.IsSurrogatePair(characters[i], characters[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(characters[i]))
            {
                characters[i] = '\uFFFD';
            }
        }

        return new string(characters);
    }
}
