namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A schema resource: the document root or a subschema with an identifier of its own, with its base URI, dialect and anchors.</summary>
internal sealed class SchemaResource(SchemaDocument document, int token, string baseUri, SchemaDialect dialect, int index)
{
    private Dictionary<string, int>? _anchors;
    private Dictionary<string, SchemaNode>? _dynamicAnchors;

    public SchemaDocument Document { get; } = document;

    /// <summary>The token of its root schema.</summary>
    public int Token { get; } = token;

    public string BaseUri { get; } = baseUri;

    public SchemaDialect Dialect { get; } = dialect;

    /// <summary>Its number within the program, as the dynamic scope records it.</summary>
    public int Index { get; } = index;

    /// <summary>The root node, once it is compiled.</summary>
    public SchemaNode? Root { get; set; }

    /// <summary>2019-09 <c>$recursiveAnchor: true</c>.</summary>
    public bool IsRecursiveAnchor { get; set; }

    public bool TryAddAnchor(string name, int token) => (_anchors ??= new(StringComparer.Ordinal)).TryAdd(name, token);

    public bool TryGetAnchor(string name, out int token)
    {
        token = 0;
        return _anchors is not null && _anchors.TryGetValue(name, out token);
    }

    public void AddDynamicAnchor(string name, SchemaNode node) => (_dynamicAnchors ??= new(StringComparer.Ordinal))[name] = node;

    public SchemaNode? DynamicAnchor(string name) => _dynamicAnchors?.GetValueOrDefault(name);
}
