using System.Reflection;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The published metaschemas, reduced to what they assert; the only documents known without being registered. From embedded resources.</summary>
internal static class Metaschemas
{
    private static readonly Dictionary<string, string> Files = new(StringComparer.Ordinal)
    {
        ["http://json-schema.org/draft-04/schema"] = "draft-04",
        ["http://json-schema.org/draft-06/schema"] = "draft-06",
        ["http://json-schema.org/draft-07/schema"] = "draft-07",
        ["https://json-schema.org/draft/2019-09/schema"] = "2019-09.schema",
        ["https://json-schema.org/draft/2019-09/meta/applicator"] = "2019-09.applicator",
        ["https://json-schema.org/draft/2019-09/meta/content"] = "2019-09.content",
        ["https://json-schema.org/draft/2019-09/meta/core"] = "2019-09.core",
        ["https://json-schema.org/draft/2019-09/meta/format"] = "2019-09.format",
        ["https://json-schema.org/draft/2019-09/meta/meta-data"] = "2019-09.meta-data",
        ["https://json-schema.org/draft/2019-09/meta/validation"] = "2019-09.validation",
        ["https://json-schema.org/draft/2020-12/schema"] = "2020-12.schema",
        ["https://json-schema.org/draft/2020-12/meta/applicator"] = "2020-12.applicator",
        ["https://json-schema.org/draft/2020-12/meta/content"] = "2020-12.content",
        ["https://json-schema.org/draft/2020-12/meta/core"] = "2020-12.core",
        ["https://json-schema.org/draft/2020-12/meta/format-annotation"] = "2020-12.format-annotation",
        ["https://json-schema.org/draft/2020-12/meta/meta-data"] = "2020-12.meta-data",
        ["https://json-schema.org/draft/2020-12/meta/unevaluated"] = "2020-12.unevaluated",
        ["https://json-schema.org/draft/2020-12/meta/validation"] = "2020-12.validation",
    };

    public static bool Contains(string uri) => Files.ContainsKey(uri);

    /// <summary>The text of a metaschema by its URI without fragment, or null.</summary>
    public static byte[]? Find(string uri)
    {
        if (!Files.TryGetValue(uri, out string? file))
        {
            return null;
        }

        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Mcp.Guard.Metaschemas." + file + ".json")
            ?? throw new InvalidOperationException($"the assembly lacks its metaschema '{file}'");
        byte[] text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}
