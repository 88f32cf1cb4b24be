using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Sanitises every string and every name of a JSON value. Only strings change: structure, order, numbers and literals are copied byte for
/// byte. Names that become equal are told apart (<see cref="JsonOutput.Settle"/>). A clean value costs no allocation but pooled buffers.
/// The walk is as deep as the document, which its parser bounded.
/// </summary>
internal sealed class JsonSanitizer(TextSanitizer texts)
{
    /// <summary>A value of at most this many bytes is looked at as a whole before its strings are; in a larger one something is found too often.</summary>
    private const int SmallValue = 4096;

    /// <summary>A text of at most this many bytes is shorter than any gap that <see cref="HiddenMarkup"/> finds.</summary>
    private const int NoGap = 39;

    /// <summary>The deepest value that <see cref="Sanitize(ReadOnlyMemory{byte}, TextSurface)"/> reads.</summary>
    public const int MaxDepth = 512;

    public static JsonSanitizer Default { get; } = new(TextSanitizer.Default);

    /// <summary>Sanitises UTF-8 JSON text.</summary>
    /// <exception cref="JsonException">The text is not JSON, or deeper than <see cref="MaxDepth"/>.</exception>
    public SanitizedJson Sanitize(ReadOnlyMemory<byte> utf8, TextSurface surface)
    {
        using JsonDocument document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
        SanitizedJson sanitized = Sanitize(document.RootElement, surface);

        // Bytes that are no UTF-8 would reach the next reader as they are, each with a reading of its own.
        return sanitized.Utf8 is null && !Utf8.IsValid(utf8.Span) ? new SanitizedJson(Rewrite(document.RootElement, surface, ContentPlace.Elsewhere), sanitized.Flags) : sanitized;
    }

    /// <summary>Sanitises a parsed value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="surface">Where its texts come from.</param>
    /// <param name="place">What the value is: binary content of a whole result is left as it is.</param>
    public SanitizedJson Sanitize(JsonElement value, TextSurface surface, ContentPlace place = ContentPlace.Elsewhere)
    {
        if (JsonMarshal.GetRawUtf8Value(value) is { Length: <= SmallValue } all && IsClean(all, surface))
        {
            return new SanitizedJson(null, ContentFlags.None);
        }

        ContentFlags flags = ContentFlags.None;
        bool changes = Inspect(value, surface, place, ref flags);
        return new SanitizedJson(changes ? Rewrite(value, surface, place) : default(ReadOnlyMemory<byte>?), flags);
    }

    /// <summary>Whether any string or name changes, and every flag.</summary>
    private bool Inspect(JsonElement value, TextSurface surface, ContentPlace place, ref ContentFlags flags)
    {
        bool changes = false;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    if (!IsClean(JsonMarshal.GetRawUtf8PropertyName(property), surface))
                    {
                        using var name = JsonCharacters.NameOf(property);
                        changes |= texts.Sanitize(name.Span, surface, default, out ContentFlags found) is not null;
                        flags |= found;
                    }

                    changes |= Inspect(property.Value, surface, ContentPlaces.Of(place, value, property), ref flags);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    changes |= Inspect(item, surface, ContentPlaces.OfItem(place), ref flags);
                }

                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place) && !IsClean(JsonMarshal.GetRawUtf8Value(value), surface):
                using (var text = JsonCharacters.Of(value))
                {
                    changes = texts.Sanitize(text.Span, surface, default, out ContentFlags found) is not null;
                    flags |= found;
                }

                break;
            default:
                break;
        }

        return changes;
    }

    /// <summary>Whether JSON text as it stands is sure to be clean: gaps of descriptions and rules of names are beyond what a scan tells.</summary>
    private static bool IsClean(ReadOnlySpan<byte> json, TextSurface surface) =>
        (surface is TextSurface.Result or TextSurface.Resource || (surface == TextSurface.Description && json.Length <= NoGap)) && CleanJsonScan.Default.IsClean(json);

    private ReadOnlyMemory<byte> Rewrite(JsonElement value, TextSurface surface, ContentPlace place)
    {
        using var output = new JsonOutput();
        Write(value, surface, place, output);
        return output.Finish();
    }

    private void Write(JsonElement value, TextSurface surface, ContentPlace place, JsonOutput output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(value, surface, place, output);
                break;
            case JsonValueKind.Array:
                output.Writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, surface, ContentPlaces.OfItem(place), output);
                }

                output.Writer.WriteEndArray();
                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place):
                using (var text = JsonCharacters.Of(value))
                {
                    if (texts.Sanitize(text.Span, surface, default, out _) is { } sanitized)
                    {
                        output.Replace(sanitized);
                    }
                    else
                    {
                        output.CopyString(value);
                    }
                }

                break;
            default:
                output.Copy(value);
                break;
        }
    }

    private void WriteObject(JsonElement value, TextSurface surface, ContentPlace place, JsonOutput output)
    {
        string?[]? names = null;
        int index = 0;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            using var name = JsonCharacters.NameOf(property);
            if (texts.Sanitize(name.Span, surface, default, out _) is { } sanitized)
            {
                (names ??= new string?[value.GetPropertyCount()])[index] = sanitized;
            }

            index++;
        }

        names = names is null ? null : JsonOutput.Settle(value, names);
        output.Writer.WriteStartObject();
        index = 0;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            output.WriteName(property, names?[index]);
            Write(property.Value, surface, ContentPlaces.Of(place, value, property), output);
            index++;
        }

        output.Writer.WriteEndObject();
    }
}
