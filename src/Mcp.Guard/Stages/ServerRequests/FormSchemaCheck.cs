using System.Collections.Frozen;
using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.ServerRequests;

/// <summary>
/// Judges the schema of an elicitation form: MCP allows a flat object of strings, numbers, booleans and choices, and no secrets. What is
/// not known here is refused, so that a form shows nothing that nobody judged.
/// </summary>
internal static class FormSchemaCheck
{
    /// <summary>The most fields of one form.</summary>
    public const int MaxFields = 64;

    /// <summary>The most entries of one choice.</summary>
    public const int MaxChoices = 256;

    private static readonly FrozenSet<string> Common = FrozenSet.ToFrozenSet(["type", "title", "description", "default"], StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string[]> Keywords = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["string"] = ["minLength", "maxLength", "format", "pattern", "enum", "enumNames", "oneOf"],
        ["number"] = ["minimum", "maximum"],
        ["integer"] = ["minimum", "maximum"],
        ["boolean"] = [],
        ["array"] = ["items", "minItems", "maxItems"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Words that ask for a secret without being its usual name.</summary>
    private static readonly string[] SecretWords = ["password", "passwd", "passphrase", "passcode", "secret", "apikey", "privatekey", "credential", "creditcard", "cardnumber", "cvv", "cvc", "ssn", "seedphrase", "mnemonic", "onetimecode", "otp", "securitycode", "accesstoken", "apitoken", "authtoken", "recoverycode", "verificationcode", "backupcode"];

    /// <summary>Judges <c>requestedSchema</c>.</summary>
    public static FormSchemaVerdict Judge(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object || Text(schema, "type") != "object"
            || !schema.TryGetProperty("properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object)
        {
            return new FormSchemaVerdict(FormSchemaFault.NotAnObject, string.Empty);
        }

        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            using var name = JsonCharacters.NameOf(keyword);
            if (name.Span is not ("type" or "properties" or "required" or "title" or "description" or "$schema"))
            {
                return new FormSchemaVerdict(FormSchemaFault.Keyword, name.Span.ToString());
            }
        }

        // What stands over the fields asks as well as what stands beside one.
        if (AsksForSecret(Text(schema, "title") ?? string.Empty) || AsksForSecret(Text(schema, "description") ?? string.Empty))
        {
            return new FormSchemaVerdict(FormSchemaFault.SecretField, string.Empty);
        }

        if (properties.GetPropertyCount() is 0 or > MaxFields)
        {
            return new FormSchemaVerdict(FormSchemaFault.TooLarge, string.Empty);
        }

        var fields = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty property in properties.EnumerateObject())
        {
            using var characters = JsonCharacters.NameOf(property);
            string name = characters.Span.ToString();
            FormSchemaFault fault = JudgeField(name, property.Value);
            if (fault != FormSchemaFault.None || !fields.Add(name))
            {
                return new FormSchemaVerdict(fault == FormSchemaFault.None ? FormSchemaFault.FieldName : fault, name);
            }
        }

        return JudgeRequired(schema, fields);
    }

    /// <summary>Whether a field's name, title or description asks for what must never be typed into a server's form.</summary>
    public static bool AsksForSecret(ReadOnlySpan<char> words)
    {
        if (SensitiveNames.KindOf(words) is SensitiveNameKind.Secret or SensitiveNameKind.Pin or SensitiveNameKind.Authorization)
        {
            return true;
        }

        // Where not all of it can be read, nobody knows what it asks for.
        if (words.Length > 512)
        {
            return true;
        }

        Span<char> letters = stackalloc char[512];
        int folded = Lookalikes.Fold(words, letters);
        int length = 0;
        for (int i = 0; i < folded; i++)
        {
            if (char.IsLetterOrDigit(letters[i]))
            {
                letters[length++] = char.ToLowerInvariant(letters[i]);
            }
        }

        foreach (string secret in SecretWords)
        {
            int found = letters[..length].IndexOf(secret, StringComparison.Ordinal);

            // Short words also end and start others ("otp" in "hotpot").
            if (found >= 0 && (secret.Length > 3 || length == secret.Length))
            {
                return true;
            }
        }

        return false;
    }

    private static FormSchemaVerdict JudgeRequired(JsonElement schema, HashSet<string> fields)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            if (required.ValueKind != JsonValueKind.Array)
            {
                return new FormSchemaVerdict(FormSchemaFault.Required, string.Empty);
            }

            foreach (JsonElement name in required.EnumerateArray())
            {
                if (name.ValueKind != JsonValueKind.String || !fields.Contains(JsonText.GetString(name)))
                {
                    return new FormSchemaVerdict(FormSchemaFault.Required, name.ValueKind == JsonValueKind.String ? JsonText.GetString(name) : string.Empty);
                }
            }
        }

        return new FormSchemaVerdict(FormSchemaFault.None, string.Empty);
    }

    private static FormSchemaFault JudgeField(string name, JsonElement field)
    {
        if (name.Length is 0 or > 128 || TextSanitizer.Default.Sanitize(name, TextSurface.Description).Flags != ContentFlags.None)
        {
            return FormSchemaFault.FieldName;
        }

        if (field.ValueKind != JsonValueKind.Object || Text(field, "type") is not { } type || !Keywords.TryGetValue(type, out string[]? allowed))
        {
            return FormSchemaFault.FieldType;
        }

        if (AsksForSecret(name) || AsksForSecret(Text(field, "title") ?? string.Empty) || AsksForSecret(Text(field, "description") ?? string.Empty) || Text(field, "format") == "password")
        {
            return FormSchemaFault.SecretField;
        }

        foreach (JsonProperty keyword in field.EnumerateObject())
        {
            using var word = JsonCharacters.NameOf(keyword);
            string key = word.Span.ToString();
            if (!Common.Contains(key) && !allowed.Contains(key, StringComparer.Ordinal))
            {
                return FormSchemaFault.Keyword;
            }

            FormSchemaFault fault = JudgeKeyword(key, keyword.Value);
            if (fault != FormSchemaFault.None)
            {
                return fault;
            }
        }

        return type != "array" || field.TryGetProperty("items", out _) ? FormSchemaFault.None : FormSchemaFault.FieldType;
    }

    private static FormSchemaFault JudgeKeyword(string key, JsonElement value) => key switch
    {
        "format" => value.ValueKind == JsonValueKind.String && JsonText.GetString(value) is "email" or "uri" or "date" or "date-time" ? FormSchemaFault.None : FormSchemaFault.Keyword,
        "enum" or "enumNames" or "oneOf" => JudgeChoices(value),
        "items" => JudgeItems(value),
        "title" or "description" or "pattern" or "type" => value.ValueKind == JsonValueKind.String ? FormSchemaFault.None : FormSchemaFault.Keyword,
        "default" => value.ValueKind == JsonValueKind.Object ? FormSchemaFault.Keyword : FormSchemaFault.None,
        _ => value.ValueKind == JsonValueKind.Number ? FormSchemaFault.None : FormSchemaFault.Keyword,
    };

    /// <summary>Strings, or pairs of a constant and its title.</summary>
    private static FormSchemaFault JudgeChoices(JsonElement choices)
    {
        if (choices.ValueKind != JsonValueKind.Array)
        {
            return FormSchemaFault.Keyword;
        }

        if (choices.GetArrayLength() is 0 or > MaxChoices)
        {
            return FormSchemaFault.TooLarge;
        }

        foreach (JsonElement choice in choices.EnumerateArray())
        {
            bool plain = choice.ValueKind == JsonValueKind.String;
            bool titled = choice.ValueKind == JsonValueKind.Object && Text(choice, "const") is not null && choice.GetPropertyCount() <= 2
                && (choice.GetPropertyCount() == 1 || Text(choice, "title") is not null);
            if (!plain && !titled)
            {
                return FormSchemaFault.FieldType;
            }
        }

        return FormSchemaFault.None;
    }

    /// <summary>The items of a choice of several: a list of strings or of titled constants, nothing nested.</summary>
    private static FormSchemaFault JudgeItems(JsonElement items)
    {
        if (items.ValueKind != JsonValueKind.Object)
        {
            return FormSchemaFault.FieldType;
        }

        bool choices = false;
        foreach (JsonProperty keyword in items.EnumerateObject())
        {
            using var word = JsonCharacters.NameOf(keyword);
            switch (word.Span)
            {
                case "type":
                    if (Text(items, "type") != "string")
                    {
                        return FormSchemaFault.FieldType;
                    }

                    break;
                case "enum" or "anyOf" or "oneOf":
                    choices = true;
                    FormSchemaFault fault = JudgeChoices(keyword.Value);
                    if (fault != FormSchemaFault.None)
                    {
                        return fault;
                    }

                    break;
                default:
                    return FormSchemaFault.Keyword;
            }
        }

        return choices ? FormSchemaFault.None : FormSchemaFault.FieldType;
    }

    private static string? Text(JsonElement value, string name) =>
        value.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String ? JsonText.GetString(text) : null;
}
