namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What must hold where a member is present: a schema, or further members.</summary>
/// <param name="Trigger">Index of the member that triggers it, in the names of its object.</param>
/// <param name="Schema">The schema that must hold; null where members are asked for.</param>
/// <param name="Required">Indexes of the members that must be there.</param>
/// <param name="Keyword">The keyword that says so.</param>
internal sealed record Dependency(int Trigger, SchemaNode? Schema, int[] Required, SchemaKeyword Keyword);
