namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The drafts of JSON Schema that the engine speaks, oldest first, so that "since" and "until" are comparisons.</summary>
internal enum SchemaDraft
{
    Draft4,
    Draft6,
    Draft7,
    Draft201909,
    Draft202012,
}
