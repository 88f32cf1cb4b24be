namespace Mcp.Guard;

/// <summary>What a schema is for.</summary>
public enum SchemaUse
{
    /// <summary>A condition of the policy, an elicitation form: no rules for its root.</summary>
    Fragment = 0,

    /// <summary>A tool's <c>inputSchema</c>.</summary>
    InputSchema = 1,

    /// <summary>A tool's <c>outputSchema</c>.</summary>
    OutputSchema = 2,
}
