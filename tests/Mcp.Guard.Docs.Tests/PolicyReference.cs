using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Docs.Tests;

/// <summary>Writes docs/policy-reference.md from the policy's JSON Schema: every object with its keys, types, ranges, defaults and meanings.</summary>
internal static class PolicyReference
{
    private const string Head = """
        # Policy reference

        Every key of `mcp-guard.json`, generated from [its JSON Schema](mcp-guard.schema.json): change that, not this page, then run

        ```
        MCP_GUARD_WRITE_DOCS=1 dotnet test --project tests/Mcp.Guard.Docs.Tests --filter "FullyQualifiedName~PolicyReference"
        ```

        [Policy](policy.md) explains how the keys work together. An unknown key, a wrong type and a value outside its range are errors; what only the reader can see (keys without effect,
        paths that expose the guard's own files, schemas that do not compile) is listed [there](policy.md#strictness).

        """;

    public static string Write(JsonElement schema)
    {
        var text = new StringBuilder(Head.ReplaceLineEndings("\n"));
        foreach (JsonProperty definition in schema.GetProperty("$defs").EnumerateObject())
        {
            text.Append('\n').Append("## ").Append(definition.Name).Append("\n\n").Append(Description(definition.Value)).Append('\n');
            if (definition.Value.TryGetProperty("properties", out JsonElement properties))
            {
                HashSet<string> required = definition.Value.TryGetProperty("required", out JsonElement names) ? [.. names.EnumerateArray().Select(static name => name.GetString()!)] : [];
                text.Append("\n| key | value | default | meaning |\n|---|---|---|---|\n");
                foreach (JsonProperty property in properties.EnumerateObject())
                {
                    text.Append(CultureInfo.InvariantCulture, $"| `{property.Name}`{(required.Contains(property.Name) ? " (required)" : "")} | {TypeOf(property.Value)} | {Default(property.Value)} | {Cell(Description(property.Value))} |\n");
                }
            }
            else
            {
                text.Append("\nValue: ").Append(TypeOf(definition.Value)).Append(".\n");
            }
        }

        return text.ToString();
    }

    private static string Description(JsonElement schema) => schema.TryGetProperty("description", out JsonElement text) ? text.GetString()! : string.Empty;

    private static string Default(JsonElement schema) => schema.TryGetProperty("default", out JsonElement value) ? "`" + value.GetRawText().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal) + "`" : "";

    private static string TypeOf(JsonElement schema)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            string name = reference.GetString()!.Split('/')[^1];
            return $"[{name}](#{name.ToLowerInvariant()})";
        }

        if (schema.TryGetProperty("enum", out JsonElement values))
        {
            return string.Join(", ", values.EnumerateArray().Select(static value => "`" + value.GetRawText() + "`"));
        }

        if (schema.TryGetProperty("const", out JsonElement constant))
        {
            return "`" + constant.GetRawText() + "`";
        }

        if (schema.TryGetProperty("anyOf", out JsonElement options))
        {
            return string.Join(" or ", options.EnumerateArray().Select(TypeOf));
        }

        if (!schema.TryGetProperty("type", out JsonElement type))
        {
            return "any";
        }

        string said = type.ValueKind == JsonValueKind.Array ? string.Join(" or ", type.EnumerateArray().Select(static item => item.GetString())) : type.GetString()!;
        return said switch
        {
            "array" => "list of " + TypeOf(schema.GetProperty("items")) + Bounds(schema, "minItems", "maxItems", " entries"),
            "object" when schema.TryGetProperty("additionalProperties", out JsonElement member) && member.ValueKind == JsonValueKind.Object =>
                "object of " + TypeOf(member) + Bounds(schema, "minProperties", "maxProperties", " members"),
            "string" => "text" + Bounds(schema, "minLength", "maxLength", " characters"),
            "object or boolean" => "JSON Schema",
            _ => said + Bounds(schema, "minimum", "maximum", ""),
        };
    }

    private static string Bounds(JsonElement schema, string least, string most, string unit)
    {
        string? from = schema.TryGetProperty(least, out JsonElement low) ? low.GetRawText() : null;
        string? to = schema.TryGetProperty(most, out JsonElement high) ? high.GetRawText() : null;
        return (from, to) switch
        {
            (null, null) => "",
            ({ }, null) => $", at least {from}{unit}",
            (null, { }) => $", at most {to}{unit}",
            _ => $", {from} to {to}{unit}",
        };
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
