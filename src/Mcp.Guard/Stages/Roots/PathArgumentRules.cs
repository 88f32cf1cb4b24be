using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Stages.Roots;

/// <summary>Which arguments of one tool are paths: compiled once from the rule and the tool's input schema.</summary>
internal sealed class PathArgumentRules
{
    private const int MaxSchemaDepth = 32;
    private const int MaxSchemaNodes = 10_000;

    private readonly JsonPointerPattern[] _declared;
    private readonly JsonPointerPattern[] _content;
    private readonly FrozenSet<string> _schemaNames;

    private PathArgumentRules(PathArgumentMode mode, JsonPointerPattern[] declared, JsonPointerPattern[] content, FrozenSet<string> schemaNames)
    {
        Mode = mode;
        _declared = declared;
        _content = content;
        _schemaNames = schemaNames;
    }

    /// <summary>Automatic finding with nothing declared and no schema.</summary>
    public static PathArgumentRules Default { get; } = new(PathArgumentMode.Auto, [], [], FrozenSet<string>.Empty);

    public PathArgumentMode Mode { get; }

    /// <summary>Compiles the rule of one tool; false with what is wrong.</summary>
    /// <param name="mode">Automatic or declared only.</param>
    /// <param name="declared">Pointers to arguments that are paths, <c>*</c> for every member or index; everything inside counts.</param>
    /// <param name="content">Pointers to arguments that are content and no paths. A declared pointer wins.</param>
    /// <param name="inputSchema">The tool's input schema, or an undefined element.</param>
    /// <param name="rules">The compiled rules.</param>
    /// <param name="problem">What is wrong and what fixes it.</param>
    public static bool TryCreate(
        PathArgumentMode mode, IReadOnlyList<string> declared, IReadOnlyList<string> content, JsonElement inputSchema,
        out PathArgumentRules? rules, out string problem)
    {
        rules = null;
        if (!TryParse(declared, out JsonPointerPattern[] declaredPatterns, out problem) || !TryParse(content, out JsonPointerPattern[] contentPatterns, out problem))
        {
            return false;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        int nodes = 0;
        CollectSchemaNames(inputSchema, null, 0, ref nodes, names);
        rules = new PathArgumentRules(mode, declaredPatterns, contentPatterns, names.ToFrozenSet(StringComparer.Ordinal));
        return true;
    }

    /// <summary>True where the rule declares the place as a path.</summary>
    public bool IsDeclared(in JsonStringPlace place) => Covers(_declared, in place);

    /// <summary>True where the rule marks the place as content.</summary>
    public bool IsContent(in JsonStringPlace place) => Covers(_content, in place);

    /// <summary>True where the nearest member on the way to a value has a path's name, or the schema gives it a path's format.</summary>
    public bool IsNamedPath(in JsonStringPlace place) =>
        place.TryGetNearestName(out ReadOnlySpan<byte> name)
        && (PathNames.IsPathName(name) || (_schemaNames.Count > 0 && _schemaNames.Contains(Encoding.UTF8.GetString(name))));

    private static bool Covers(JsonPointerPattern[] patterns, in JsonStringPlace place)
    {
        foreach (JsonPointerPattern pattern in patterns)
        {
            if (pattern.Covers(in place))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryParse(IReadOnlyList<string> texts, out JsonPointerPattern[] patterns, out string problem)
    {
        patterns = new JsonPointerPattern[texts.Count];
        for (int i = 0; i < texts.Count; i++)
        {
            if (!JsonPointerPattern.TryParse(texts[i], out JsonPointerPattern? pattern))
            {
                problem = $"entry {i} is not a JSON Pointer: it must be empty or start with '/', with '~0' for '~' and '~1' for '/'";
                return false;
            }

            patterns[i] = pattern!;
        }

        problem = string.Empty;
        return true;
    }

    /// <summary>Names of properties whose schema, or whose items' schema, has a format that means a path.</summary>
    private static void CollectSchemaNames(JsonElement schema, string? name, int depth, ref int nodes, HashSet<string> names)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxSchemaDepth || ++nodes > MaxSchemaNodes)
        {
            return;
        }

        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            JsonElement value = keyword.Value;
            if (keyword.NameEquals("format") && name is not null && value.ValueKind == JsonValueKind.String)
            {
                if (JsonText.GetString(value) is "path" or "file-path" or "filepath" or "file_path" or "file" or "directory" or "directory-path" or "folder" or "uri-file")
                {
                    names.Add(name);
                }
            }
            else if (keyword.NameEquals("properties") && value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    CollectSchemaNames(property.Value, JsonText.GetName(property), depth + 1, ref nodes, names);
                }
            }
            else if (keyword.NameEquals("items") || keyword.NameEquals("additionalProperties"))
            {
                CollectSchemaNames(value, name, depth + 1, ref nodes, names);
            }
            else if ((keyword.NameEquals("anyOf") || keyword.NameEquals("oneOf") || keyword.NameEquals("allOf") || keyword.NameEquals("prefixItems"))
                && value.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in value.EnumerateArray())
                {
                    CollectSchemaNames(item, name, depth + 1, ref nodes, names);
                }
            }
            else if ((keyword.NameEquals("$defs") || keyword.NameEquals("definitions")) && value.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty definition in value.EnumerateObject())
                {
                    CollectSchemaNames(definition.Value, null, depth + 1, ref nodes, names);
                }
            }
        }
    }
}
