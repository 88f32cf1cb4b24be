namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>How a listed tool stands to the one that was pinned. The default value asks a person again.</summary>
internal enum ToolRelation
{
    /// <summary>The definition changed, or cannot be compared: a person must agree again.</summary>
    Reconsent = 0,

    /// <summary>The same definition.</summary>
    Same,

    /// <summary>Another name: another tool, whatever else is alike. Nothing of the old one's approval holds for it.</summary>
    NewTool,
}
