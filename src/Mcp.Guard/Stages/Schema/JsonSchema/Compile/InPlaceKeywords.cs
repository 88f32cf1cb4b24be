namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Keywords that apply further schemas to the same value.</summary>
internal sealed class InPlaceKeywords
{
    public SchemaNode? Ref { get; set; }

    public DynamicReference? Dynamic { get; set; }

    public SchemaNode[] AllOf { get; set; } = [];

    public SchemaNode[] AnyOf { get; set; } = [];

    public SchemaNode[] OneOf { get; set; } = [];

    public SchemaNode? Not { get; set; }

    public SchemaNode? If { get; set; }

    public SchemaNode? Then { get; set; }

    public SchemaNode? Else { get; set; }
}
