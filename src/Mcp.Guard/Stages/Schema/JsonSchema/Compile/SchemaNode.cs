namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>
/// One compiled schema. Keywords lie in groups by the type they look at, and a group that a schema does not use is null, so that a leaf
/// costs one test. Written by the compiler, then never again.
/// </summary>
internal sealed class SchemaNode(SchemaDocument document, int token, SchemaResource resource)
{
    public SchemaDocument Document { get; } = document;

    public int Token { get; } = token;

    public SchemaResource Resource { get; } = resource;

    public SchemaShape Shape { get; set; } = SchemaShape.General;

    /// <summary>The types allowed, <see cref="JsonTypes.All"/> where <c>type</c> is absent.</summary>
    public int Types { get; set; } = JsonTypes.All;

    /// <summary>1.0 counts as an integer: true since draft-06; draft-04 defines the integer by how it is written.</summary>
    public bool IntegerByValue { get; set; } = true;

    public ValueSet? Enum { get; set; }

    public ValueSet? Const { get; set; }

    /// <summary>The tokens of the values, where the schema says nothing else than which values it allows; while compiling.</summary>
    public int[]? OnlyValues { get; set; }

    /// <summary>An <c>anyOf</c> whose branches are all enums or consts, as one set.</summary>
    public ValueSet? AnyOfValues { get; set; }

    public StringKeywords? Strings { get; set; }

    public NumberKeywords? Numbers { get; set; }

    public ArrayKeywords? Arrays { get; set; }

    public ObjectKeywords? Objects { get; set; }

    public InPlaceKeywords? InPlace { get; set; }

    public SchemaNode? UnevaluatedItems { get; set; }

    public SchemaNode? UnevaluatedProperties { get; set; }

    /// <summary>Reached more than once at the same place of an instance: its answers are kept. -1 where they are not.</summary>
    public int MemoId { get; set; } = -1;

    /// <summary>How many in-place keywords lead here.</summary>
    public int InPlaceUses { get; set; }

    /// <summary>The longest way down through in-place keywords; -1 while unknown, -2 while being measured.</summary>
    public int InPlaceHeight { get; set; } = -1;

    /// <summary>The most references on such a way.</summary>
    public int ReferenceHeight { get; set; }
}
