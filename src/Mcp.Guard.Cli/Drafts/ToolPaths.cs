using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>Finds which arguments of a tool are paths, by its schema: the same names and formats that the roots stage goes by.</summary>
internal static class ToolPaths
{
    private const int MaxDepth = 8;
    private const int MaxNodes = 2_000;
    private const int MaxFound = 50;

    private static readonly string[] Formats = ["path", "file-path", "filepath", "file_path", "file", "directory", "directory-path", "folder", "uri-file"];

    /// <summary>JSON Pointers to them, <c>*</c> for each element of a list, in ordinal order.</summary>
    public static IReadOnlyList<string> Find(JsonElement inputSchema)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        int nodes = 0;
        Walk(inputSchema, string.Empty, isPath: false, 0, ref nodes, found);
        return [.. found];
    }

    private static void Walk(JsonElement schema, string pointer, bool isPath, int depth, ref int nodes, SortedSet<string> found)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth || ++nodes > MaxNodes || found.Count >= MaxFound)
        {
            return;
        }

        bool named = isPath || (schema.TryGetProperty("format", out JsonElement format) && format.ValueKind == JsonValueKind.String && Formats.Contains(format.GetString(), StringComparer.Ordinal));
        bool isObject = schema.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object;
        bool isList = schema.TryGetProperty("items", out JsonElement items) && items.ValueKind == JsonValueKind.Object;
        if (named && !isObject && !isList && pointer.Length > 0 && CanBeText(schema))
        {
            found.Add(pointer);
        }

        if (isObject)
        {
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                string name = JsonText.GetName(property);
                string token = name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
                if (token.Length is > 0 and <= 128 && token != "*")
                {
                    Walk(property.Value, $"{pointer}/{token}", PathNames.IsPathName(System.Text.Encoding.UTF8.GetBytes(name)), depth + 1, ref nodes, found);
                }
            }
        }

        if (isList)
        {
            Walk(items, pointer + "/*", named, depth + 1, ref nodes, found);
        }

        foreach (string keyword in (ReadOnlySpan<string>)["anyOf", "oneOf", "allOf"])
        {
            if (schema.TryGetProperty(keyword, out JsonElement parts) && parts.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement part in parts.EnumerateArray())
                {
                    Walk(part, pointer, named, depth + 1, ref nodes, found);
                }
            }
        }
    }

    private static bool CanBeText(JsonElement schema) =>
        !schema.TryGetProperty("type", out JsonElement type)
        || (type.ValueKind == JsonValueKind.String && type.ValueEquals("string"))
        || (type.ValueKind == JsonValueKind.Array && type.EnumerateArray().Any(static one => one.ValueKind == JsonValueKind.String && one.ValueEquals("string")));
}
