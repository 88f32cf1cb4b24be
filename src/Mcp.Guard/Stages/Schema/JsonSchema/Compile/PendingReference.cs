namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>A reference read but not yet resolved: its target may come later in the document, or from a registered one.</summary>
internal readonly record struct PendingReference(SchemaNode Node, int ValueToken, SchemaKeyword Keyword);
