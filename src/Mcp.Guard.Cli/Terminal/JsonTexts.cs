using System.Text.Json;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>Writes lists of texts.</summary>
internal static class JsonTexts
{
    /// <summary>A member that is a list of strings.</summary>
    public static void WriteTexts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
