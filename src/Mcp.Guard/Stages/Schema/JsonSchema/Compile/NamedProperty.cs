namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A name that <c>properties</c>, <c>required</c> or a dependency speaks of.</summary>
/// <param name="Schema">Its schema; null where <c>properties</c> does not name it.</param>
/// <param name="IsRequired">Whether <c>required</c> names it.</param>
internal readonly record struct NamedProperty(SchemaNode? Schema, bool IsRequired);
