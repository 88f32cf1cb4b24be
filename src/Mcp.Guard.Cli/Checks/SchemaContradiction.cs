using System.Text.Json;

namespace Mcp.Guard.Cli.Checks;

/// <summary>
/// Finds schemas over arguments that nothing can satisfy: what a slip of the pen looks like (bounds that exclude each other, a type that arguments never have).
/// It knows the plain cases only; a schema in which it finds nothing may still be unsatisfiable.
/// </summary>
internal static class SchemaContradiction
{
    private const int MaxDepth = 32;

    private static readonly (string Least, string Most)[] Bounds =
    [
        ("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"), ("minContains", "maxContains"),
    ];

    /// <summary>Why no arguments satisfy a schema; null where nothing was found. Arguments are always a JSON object.</summary>
    public static string? OfArguments(JsonElement schema) => Find(schema, isObject: true, depth: 0);

    /// <param name="schema">A schema.</param>
    /// <param name="isObject">Whether the instance is known to be an object.</param>
    /// <param name="depth">How deep the schema stands.</param>
    private static string? Find(JsonElement schema, bool isObject, int depth)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        if (schema.ValueKind == JsonValueKind.False)
        {
            return "the schema is false";
        }

        if (schema.ValueKind != JsonValueKind.Object || schema.TryGetProperty("$ref", out _))
        {
            return null; // what a reference adds is not followed
        }

        return OfType(schema, isObject) ?? OfValues(schema) ?? OfBounds(schema, isObject) ?? OfRequired(schema, isObject, depth) ?? OfParts(schema, isObject, depth);
    }

    private static string? OfType(JsonElement schema, bool isObject)
    {
        if (!isObject || !schema.TryGetProperty("type", out JsonElement type))
        {
            return null;
        }

        bool admits = type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Any(static one => one.ValueKind == JsonValueKind.String && one.ValueEquals("object"))
            : type.ValueKind == JsonValueKind.String && type.ValueEquals("object");
        return admits ? null : "its \"type\" is not \"object\", and arguments are an object";
    }

    private static string? OfValues(JsonElement schema)
    {
        bool hasEnum = schema.TryGetProperty("enum", out JsonElement values) && values.ValueKind == JsonValueKind.Array;
        if (hasEnum && values.GetArrayLength() == 0)
        {
            return "its \"enum\" is empty";
        }

        bool hasConst = schema.TryGetProperty("const", out JsonElement constant);
        if (hasConst && hasEnum && !values.EnumerateArray().Any(value => JsonElement.DeepEquals(value, constant)))
        {
            return "its \"const\" is not in its \"enum\"";
        }

        // A constant of another type than "type" names.
        string? type = schema.TryGetProperty("type", out JsonElement named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        return hasConst && type is not null && !IsOfType(constant, type) ? $"its \"const\" is no {type}" : null;
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => value.ValueKind == JsonValueKind.Number,
    };

    private static string? OfBounds(JsonElement schema, bool isObject)
    {
        foreach ((string least, string most) in Bounds)
        {
            // Bounds say nothing of values of another type; only those of objects, or of a type that is named, bind.
            bool binds = least == "minProperties" ? isObject || HasType(schema, "object")
                : least is "minimum" ? HasType(schema, "number") || HasType(schema, "integer")
                : least is "minLength" ? HasType(schema, "string")
                : HasType(schema, "array");
            if (binds && Number(schema, least) is { } low && Number(schema, most) is { } high && low > high)
            {
                return $"its \"{least}\" is greater than its \"{most}\"";
            }
        }

        return null;
    }

    private static bool HasType(JsonElement schema, string type) =>
        schema.TryGetProperty("type", out JsonElement named) && named.ValueKind == JsonValueKind.String && named.ValueEquals(type);

    private static decimal? Number(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal number) ? number : null;

    private static string? OfRequired(JsonElement schema, bool isObject, int depth)
    {
        if (!(isObject || HasType(schema, "object")) || !schema.TryGetProperty("required", out JsonElement required) || required.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        bool hasProperties = schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object;
        bool isClosed = schema.TryGetProperty("additionalProperties", out JsonElement additional) && additional.ValueKind == JsonValueKind.False
            && !schema.TryGetProperty("patternProperties", out _);
        foreach (JsonElement item in required.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                continue;
            }

            string name = item.GetString()!;
            if (hasProperties && properties.TryGetProperty(name, out JsonElement property))
            {
                if (Find(property, isObject: false, depth + 1) is { } inner)
                {
                    return $"it requires \"{name}\", and of that: {inner}";
                }
            }
            else if (isClosed)
            {
                return $"it requires \"{name}\" and permits no such property";
            }
        }

        return null;
    }

    private static string? OfParts(JsonElement schema, bool isObject, int depth)
    {
        if (schema.TryGetProperty("not", out JsonElement not)
            && (not.ValueKind == JsonValueKind.True || (not.ValueKind == JsonValueKind.Object && not.GetPropertyCount() == 0)))
        {
            return "its \"not\" excludes everything";
        }

        if (schema.TryGetProperty("allOf", out JsonElement all) && all.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement part in all.EnumerateArray())
            {
                if (Find(part, isObject, depth + 1) is { } inner)
                {
                    return inner;
                }
            }
        }

        foreach (string keyword in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(keyword, out JsonElement parts) && parts.ValueKind == JsonValueKind.Array && parts.GetArrayLength() > 0
                && parts.EnumerateArray().All(part => Find(part, isObject, depth + 1) is not null))
            {
                return $"no part of its \"{keyword}\" can be satisfied";
            }
        }

        return null;
    }
}
