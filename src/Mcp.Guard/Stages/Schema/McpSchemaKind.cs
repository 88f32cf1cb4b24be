namespace Mcp.Guard.Stages.Schema;

/// <summary>Where a schema stands in MCP; decides which rules its root has to keep.</summary>
internal enum McpSchemaKind
{
    /// <summary>A schema of the policy or of an elicitation: any root.</summary>
    Fragment = 0,

    /// <summary>A tool's <c>inputSchema</c>.</summary>
    InputSchema,

    /// <summary>A tool's <c>outputSchema</c>.</summary>
    OutputSchema,
}
