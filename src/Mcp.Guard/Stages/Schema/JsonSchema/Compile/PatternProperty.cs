namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>One member of <c>patternProperties</c>.</summary>
internal readonly record struct PatternProperty(EcmaPattern Pattern, SchemaNode Schema);
