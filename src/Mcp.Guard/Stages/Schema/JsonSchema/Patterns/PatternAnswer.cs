namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What a table says of a text.</summary>
internal enum PatternAnswer
{
    /// <summary>The table cannot tell.</summary>
    Unknown = 0,
    Yes,
    No,
}
