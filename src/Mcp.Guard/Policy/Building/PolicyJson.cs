using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Policy;

namespace Mcp.Guard;

/// <summary>The JSON that the builders put together.</summary>
internal static class PolicyJson
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = PolicyParser.MaxDepth };

    /// <summary>JSON text that a host author wrote in code.</summary>
    /// <exception cref="ArgumentException">It is not JSON.</exception>
    public static JsonNode? Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonNode.Parse(json, documentOptions: Strict);
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"The value is not JSON text: {e.Message} A text needs quotes of its own, as in \"\\\"30s\\\"\".", nameof(json), e);
        }
    }

    /// <summary>Sets a key once.</summary>
    /// <exception cref="ArgumentException">It is set already.</exception>
    public static void Add(JsonObject target, string key, JsonNode? value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        if (!target.TryAdd(key, value))
        {
            throw new ArgumentException($"'{key}' is set already; set it once.", nameof(key));
        }
    }

    /// <summary>The list of a key, made where there is none.</summary>
    public static JsonArray List(JsonObject target, string key)
    {
        if (target[key] is not JsonArray list)
        {
            list = [];
            Add(target, key, list);
        }

        return list;
    }

    /// <summary>The object of a key, made where there is none.</summary>
    public static JsonObject Object(JsonObject target, string key)
    {
        if (target[key] is not JsonObject found)
        {
            found = [];
            Add(target, key, found);
        }

        return found;
    }

    public static JsonArray Texts(IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var list = new JsonArray();
        foreach (string text in texts)
        {
            list.Add((JsonNode?)JsonValue.Create(text));
        }

        return list;
    }

    public static JsonObject RateLimit(long permits, TimeSpan per) =>
        new() { ["permits"] = JsonValue.Create(permits), ["per"] = JsonValue.Create(PolicyText.Duration(per)) };

    public static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    }
}
