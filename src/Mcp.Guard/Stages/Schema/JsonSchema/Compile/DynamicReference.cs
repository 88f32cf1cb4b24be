namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A <c>$dynamicRef</c> or <c>$recursiveRef</c> whose target depends on the way that led to it.</summary>
internal sealed class DynamicReference(SchemaNode initial, string? anchor)
{
    /// <summary>The target where no outer resource offers one.</summary>
    public SchemaNode Initial { get; } = initial;

    /// <summary>The <c>$dynamicAnchor</c> looked for; null for <c>$recursiveRef</c>.</summary>
    public string? Anchor { get; } = anchor;

    /// <summary>The targets by resource index, filled when all resources are known; null where a resource offers none.</summary>
    public SchemaNode?[] ByResource { get; set; } = [];
}
