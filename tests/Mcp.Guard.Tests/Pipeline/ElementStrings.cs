using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>The strings and names of a value as a walk over the platform's elements meets them: what the reading's own walk is held to.</summary>
internal static class ElementStrings
{
    public static IEnumerable<(string Pointer, bool IsName, string Text)> Of(JsonElement value, string pointer = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                yield return (pointer, false, JsonText.GetString(value));
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    string name = JsonText.GetName(member);
                    string at = $"{pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
                    yield return (at, true, name);
                    foreach (var inner in Of(member.Value, at))
                    {
                        yield return inner;
                    }
                }

                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                {
                    foreach (var inner in Of(item, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index++}")))
                    {
                        yield return inner;
                    }
                }

                break;
        }
    }
}
