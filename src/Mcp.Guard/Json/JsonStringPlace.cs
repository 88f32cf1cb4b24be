using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Json;

/// <summary>One string inside a JSON value and the way to it.</summary>
internal readonly ref struct JsonStringPlace(ReadOnlySpan<JsonTrailSegment> trail, JsonElement value, bool isName)
{
    /// <summary>The steps from the root; for a member name the last one is that member.</summary>
    public ReadOnlySpan<JsonTrailSegment> Trail { get; } = trail;

    /// <summary>True where the text is the name of a member and not a value.</summary>
    public bool IsName { get; } = isName;

    /// <summary>The text as UTF-8 between its quotes, escapes not undone.</summary>
    public ReadOnlySpan<byte> RawUtf8 => IsName ? JsonMarshal.GetRawUtf8PropertyName(Trail[^1].Member) : JsonMarshal.GetRawUtf8Value(value)[1..^1];

    /// <summary>The text, lone surrogates kept.</summary>
    public string GetText() => IsName ? JsonText.GetName(Trail[^1].Member) : JsonText.GetString(value);

    /// <summary>The RFC 6901 pointer; of a member name, that of the member.</summary>
    public string GetPointer()
    {
        var pointer = new StringBuilder();
        foreach (JsonTrailSegment segment in Trail)
        {
            pointer.Append('/');
            if (segment.Index >= 0)
            {
                pointer.Append(CultureInfo.InvariantCulture, $"{segment.Index}");
            }
            else
            {
                pointer.Append(JsonText.GetName(segment.Member).Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
            }
        }

        return pointer.ToString();
    }
}
