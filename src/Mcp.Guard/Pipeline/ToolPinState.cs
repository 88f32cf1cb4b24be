namespace Mcp.Guard.Pipeline;

/// <summary>How a listed tool compares with its pin.</summary>
internal enum ToolPinState
{
    /// <summary>The pins are out of reach: no tool may be called.</summary>
    Unavailable = 0,

    /// <summary>The definition is the pinned one.</summary>
    Pinned,

    /// <summary>The tool appeared after the first sight of its server: calls ask.</summary>
    New,

    /// <summary>The definition is not the pinned one: hidden and denied until a person agrees.</summary>
    Changed,

    /// <summary>A person refused exactly this definition: hidden and denied, and nobody is asked about it.</summary>
    Refused,
}
