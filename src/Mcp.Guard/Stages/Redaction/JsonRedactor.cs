using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Redaction;

/// <summary>
/// Redacts a parsed JSON value: every string and name as text, and by name whatever stands under a sensitive one. Two walks: the first
/// finds out whether there is anything and gathers the values that must go everywhere, the second writes. A clean value is not written.
/// The walk is as deep as the document, which its parser bounded.
/// </summary>
internal sealed class JsonRedactor(SecretRedactor redactor)
{
    private const string FieldFamily = "json-field";

    public static JsonRedactor Default { get; } = new(SecretRedactor.Default);

    /// <summary>The value without its secrets as UTF-8, or null where it holds none.</summary>
    /// <param name="value">The value.</param>
    /// <param name="place">What the value is: binary content of a whole result is left as it is.</param>
    public ReadOnlyMemory<byte>? Redact(JsonElement value, ContentPlace place = ContentPlace.Elsewhere)
    {
        SecretMatches? document = null;
        Gather(value, SensitiveNameKind.None, place, ref document);
        if (document is null)
        {
            return null;
        }

        using var output = new JsonOutput();
        Write(value, SensitiveNameKind.None, place, document, output);
        return output.Changed ? output.Finish() : default(ReadOnlyMemory<byte>?);
    }

    private void Gather(JsonElement value, SensitiveNameKind kind, ContentPlace place, ref SecretMatches? document)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                SensitiveNameKind pair = PairKind(value, kind);
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    using var name = JsonCharacters.NameOf(property);
                    redactor.Gather(name.Span, ref document);
                    Gather(property.Value, KindOf(value, name.Span, pair), ContentPlaces.Of(place, value, property), ref document);
                }

                break;
            case JsonValueKind.Array:
                SensitiveNameKind option = SensitiveNameKind.None;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Gather(item, kind != SensitiveNameKind.None ? kind : option, ContentPlaces.OfItem(place), ref document);
                    option = OptionKind(item);
                }

                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place):
                using (var text = JsonCharacters.Of(value))
                {
                    redactor.Gather(text.Span, ref document);
                    if (kind is SensitiveNameKind.Cookie && IsCookieHeader(text.Span))
                    {
                        KeyedValueFinder.FindCookies(text.Span, 0, text.Span.Length, document ??= new());
                    }
                    else if (IsSecret(text.Span, kind))
                    {
                        (document ??= new()).AddValue(text.Span[Credentials(text.Span, kind)..]);
                    }
                }

                break;
            case JsonValueKind.Number:
                if (IsSecretNumber(value, kind))
                {
                    (document ??= new()).AddValue(value.GetRawText());
                }

                break;
            default:
                break;
        }
    }

    private void Write(JsonElement value, SensitiveNameKind kind, ContentPlace place, SecretMatches document, JsonOutput output)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(value, kind, place, document, output);
                break;
            case JsonValueKind.Array:
                output.Writer.WriteStartArray();
                SensitiveNameKind option = SensitiveNameKind.None;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(item, kind != SensitiveNameKind.None ? kind : option, ContentPlaces.OfItem(place), document, output);
                    option = OptionKind(item);
                }

                output.Writer.WriteEndArray();
                break;
            case JsonValueKind.String when !ContentPlaces.IsBinary(place):
                WriteString(value, kind, document, output);
                break;
            case JsonValueKind.Number:
                WriteNumber(value, kind, document, output);
                break;
            default:
                output.Copy(value);
                break;
        }
    }

    private void WriteObject(JsonElement value, SensitiveNameKind kind, ContentPlace place, SecretMatches document, JsonOutput output)
    {
        SensitiveNameKind pair = PairKind(value, kind);
        string?[]? names = null;
        int index = 0;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            using var name = JsonCharacters.NameOf(property);
            SecretMatches? state = document;
            if (redactor.Redact(name.Span, ref state) is { } redacted)
            {
                (names ??= new string?[value.GetPropertyCount()])[index] = redacted;
            }

            index++;
        }

        names = names is null ? null : JsonOutput.Settle(value, names);
        output.Writer.WriteStartObject();
        index = 0;
        foreach (JsonProperty property in value.EnumerateObject())
        {
            using var name = JsonCharacters.NameOf(property);
            output.WriteName(property, names?[index]);
            Write(property.Value, KindOf(value, name.Span, pair), ContentPlaces.Of(place, value, property), document, output);
            index++;
        }

        output.Writer.WriteEndObject();
    }

    private void WriteString(JsonElement value, SensitiveNameKind kind, SecretMatches document, JsonOutput output)
    {
        using var text = JsonCharacters.Of(value);
        if (IsSecret(text.Span, kind) && !(kind is SensitiveNameKind.Cookie && IsCookieHeader(text.Span)))
        {
            output.Replace(string.Concat(text.Span[..Credentials(text.Span, kind)], SecretRedactor.Replacement(FieldFamily)));
            return;
        }

        SecretMatches? state = document;
        string? redacted = kind is SensitiveNameKind.Cookie ? redactor.RedactCookies(text.Span, document) : redactor.Redact(text.Span, ref state);
        if (redacted is null)
        {
            output.Copy(value);
        }
        else
        {
            output.Replace(redacted);
        }
    }

    private void WriteNumber(JsonElement value, SensitiveNameKind kind, SecretMatches document, JsonOutput output)
    {
        string digits = value.GetRawText();
        SecretMatches? state = document;
        if (IsSecretNumber(value, kind))
        {
            output.Replace(SecretRedactor.Replacement(FieldFamily));
        }
        else if (document.HasValue(digits) && redactor.Redact(digits, ref state) is { } redacted)
        {
            output.Replace(redacted);
        }
        else
        {
            output.Copy(value);
        }
    }

    private static bool IsSecret(ReadOnlySpan<char> text, SensitiveNameKind kind) => kind switch
    {
        SensitiveNameKind.None => false,
        SensitiveNameKind.Pin => text.Length >= Placeholders.MinLength && !text.ContainsAnyExceptInRange('0', '9'),
        _ => !Placeholders.Is(text[Credentials(text, kind)..]),
    };

    private static bool IsSecretNumber(JsonElement value, SensitiveNameKind kind)
    {
        if (kind == SensitiveNameKind.None)
        {
            return false;
        }

        string digits = value.GetRawText();
        return kind == SensitiveNameKind.Pin ? digits.Length >= Placeholders.MinLength && !digits.AsSpan().ContainsAnyExceptInRange('0', '9') : digits.Length >= Placeholders.MinLength;
    }

    /// <summary>Where the credentials start in the value of an authorization field: behind the scheme.</summary>
    private static int Credentials(ReadOnlySpan<char> text, SensitiveNameKind kind) =>
        kind == SensitiveNameKind.Authorization ? KeyedValueFinder.AfterScheme(text, 0, text.Length, out _) : 0;

    private static bool IsCookieHeader(ReadOnlySpan<char> text) => text.IndexOf('=') > 0;

    /// <summary>The kind of a property: by its own name, by the name beside it where the object is a name and value pair, or by what kind of object it is in.</summary>
    private static SensitiveNameKind KindOf(JsonElement owner, ReadOnlySpan<char> name, SensitiveNameKind pair)
    {
        if (pair != SensitiveNameKind.None && (name is "val" or "content" || name.EndsWith("value", StringComparison.OrdinalIgnoreCase)))
        {
            return pair;
        }

        bool isSecret = name.Length <= 4 && ((KeyParameterFinder.IsPrivate(name) && HasText(owner, "kty")) || (SensitiveNames.IsShort(name) && Users.Any(user => HasText(owner, user))));
        return isSecret ? SensitiveNameKind.Secret : SensitiveNames.KindOf(name);
    }

    private static readonly string[] Users = ["user", "username", "userName", "user_name", "login", "User", "Username", "UserName", "email", "account"];

    private static bool HasText(JsonElement owner, string name) => owner.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String;

    /// <summary>
    /// {"name":"Authorization","value":"..."}: the kind that the pair's name gives to its value; without one the name that the object itself stands under,
    /// {"password":{"value":"..."}}.
    /// </summary>
    private static SensitiveNameKind PairKind(JsonElement value, SensitiveNameKind outer)
    {
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                continue;
            }

            using var name = JsonCharacters.NameOf(property);
            if (IsNameOfPair(name.Span))
            {
                using var text = JsonCharacters.Of(property.Value);
                SensitiveNameKind kind = SensitiveNames.KindOf(text.Span);
                if (kind != SensitiveNameKind.None)
                {
                    return kind;
                }
            }
        }

        return outer;
    }

    private static bool IsNameOfPair(ReadOnlySpan<char> name)
    {
        foreach (string known in (ReadOnlySpan<string>)["name", "key", "header", "field", "variable", "parameterKey", "parameterName"])
        {
            if (name.Equals(known, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>["--token","..."]: the kind that an option gives to the next item.</summary>
    private static SensitiveNameKind OptionKind(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.String)
        {
            return SensitiveNameKind.None;
        }

        using var text = JsonCharacters.Of(item);
        return text.Span.Length > 2 && text.Span[0] == '-' && !text.Span.Contains('=') ? SensitiveNames.KindOf(text.Span.Trim('-')) : SensitiveNameKind.None;
    }
}
