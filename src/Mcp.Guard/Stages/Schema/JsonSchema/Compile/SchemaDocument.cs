using System.Text;

namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A parsed schema document: what the compiler reads, what enums compare with and what error locations are built from.</summary>
internal sealed class SchemaDocument(byte[] text, JsonTape tape, string uri)
{
    private SchemaNode?[]? _nodes = new SchemaNode?[tape.Count];

    /// <summary>Where the host registered it; empty for the schema that is being compiled.</summary>
    public string Uri { get; } = uri;

    public JsonView View => new(text, tape);

    /// <summary>The node compiled from a token, while compiling.</summary>
    public ref SchemaNode? NodeAt(int token) => ref _nodes![token];

    /// <summary>Forgets what only the compiler needs.</summary>
    public void Seal() => _nodes = null;

    public string Location(int token, string? keyword = null)
    {
        var pointer = new StringBuilder();
        if (Uri.Length > 0)
        {
            pointer.Append(Uri).Append('#');
        }

        JsonLocation.Append(pointer, View, token);
        if (!string.IsNullOrEmpty(keyword))
        {
            pointer.Append('/').Append(keyword);
        }

        return pointer.ToString();
    }
}
