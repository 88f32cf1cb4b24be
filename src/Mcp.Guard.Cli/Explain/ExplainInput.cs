using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Cli.Explain;

/// <summary>Reads the members of an explain input and names the one that is missing or of the wrong type.</summary>
internal static class ExplainInput
{
    public static string Text(JsonElement input, string name) =>
        OptionalText(input, name) ?? throw new ExplainInputException($"'{name}' is missing; it must be a string");

    public static string? OptionalText(JsonElement input, string name)
    {
        if (!input.TryGetProperty(name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String
            ? JsonText.GetString(value)
            : throw new ExplainInputException($"'{name}' must be a string, found {value.ValueKind}");
    }

    public static bool OptionalFlag(JsonElement input, string name)
    {
        if (!input.TryGetProperty(name, out JsonElement value))
        {
            return false;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw new ExplainInputException($"'{name}' must be true or false, found {value.ValueKind}"),
        };
    }

    public static JsonElement Required(JsonElement input, string name) =>
        input.TryGetProperty(name, out JsonElement value) ? value : throw new ExplainInputException($"'{name}' is missing");

    /// <summary>A list of strings; absent is null.</summary>
    public static List<string>? OptionalTexts(JsonElement input, string name) =>
        input.TryGetProperty(name, out JsonElement value) ? Texts(value, name) : null;

    public static List<string> Texts(JsonElement value, string name)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw new ExplainInputException($"'{name}' must be a list of strings, found {value.ValueKind}");
        }

        var texts = new List<string>(value.GetArrayLength());
        foreach (JsonElement item in value.EnumerateArray())
        {
            texts.Add(item.ValueKind == JsonValueKind.String
                ? JsonText.GetString(item)
                : throw new ExplainInputException($"'{name}' must hold only strings, found {item.ValueKind}"));
        }

        return texts;
    }

    /// <summary>Writes the entries of an input list that were dropped, each with its position and reason.</summary>
    public static void WriteProblems(Utf8JsonWriter output, string name, string list, IReadOnlyList<AllowlistProblem> problems)
    {
        if (problems.Count == 0)
        {
            return;
        }

        output.WriteStartArray(name);
        foreach (AllowlistProblem problem in problems)
        {
            output.WriteStringValue($"{list}[{problem.Index}]: {problem.Message}");
        }

        output.WriteEndArray();
    }
}
