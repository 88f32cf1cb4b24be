using System.Globalization;
using System.Text;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Json;

/// <summary>One string inside a JSON value and the way to it.</summary>
internal readonly ref struct JsonStringPlace(JsonView view, ReadOnlySpan<JsonTrailSegment> trail, int token, bool isName)
{
    private readonly JsonView _view = view;

    /// <summary>The steps from the root; for a member name the last one is that member.</summary>
    public ReadOnlySpan<JsonTrailSegment> Trail { get; } = trail;

    /// <summary>True where the text is the name of a member and not a value.</summary>
    public bool IsName { get; } = isName;

    /// <summary>The text as UTF-8, escapes undone.</summary>
    public ReadOnlySpan<byte> Utf8 => _view.Bytes(in _view.Tokens[token]);

    /// <summary>True where the text was written with escapes.</summary>
    public bool HasEscapes => _view.Tokens[token].IsDecoded;

    public string GetText() => Encoding.UTF8.GetString(Utf8);

    /// <summary>The name of the member at one step, as UTF-8; the step is no index.</summary>
    public ReadOnlySpan<byte> NameAt(int step) => _view.Bytes(in _view.Tokens[Trail[step].Name]);

    /// <summary>The name of the nearest member on the way to the text, as UTF-8; false where there are only indices.</summary>
    public bool TryGetNearestName(out ReadOnlySpan<byte> name)
    {
        for (int i = Trail.Length - 1; i >= 0; i--)
        {
            if (Trail[i].Index < 0)
            {
                name = NameAt(i);
                return true;
            }
        }

        name = default;
        return false;
    }

    /// <summary>The RFC 6901 pointer; of a member name, that of the member.</summary>
    public string GetPointer()
    {
        var pointer = new StringBuilder();
        for (int i = 0; i < Trail.Length; i++)
        {
            pointer.Append('/');
            if (Trail[i].Index >= 0)
            {
                pointer.Append(CultureInfo.InvariantCulture, $"{Trail[i].Index}");
            }
            else
            {
                pointer.Append(Encoding.UTF8.GetString(NameAt(i)).Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
            }
        }

        return pointer.ToString();
    }
}
