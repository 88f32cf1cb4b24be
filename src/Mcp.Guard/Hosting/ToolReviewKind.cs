namespace Mcp.Guard;

/// <summary>Why a definition waits for a person.</summary>
public enum ToolReviewKind
{
    /// <summary>The pins of the server are lost, damaged or out of reach: nothing of it counts as approved.</summary>
    Unpinned = 0,

    /// <summary>The tool appeared after the first sight of its server.</summary>
    New = 1,

    /// <summary>The definition is not the pinned one.</summary>
    Changed = 2,

    /// <summary>The server's instructions are not the pinned ones.</summary>
    Instructions = 3,
}
