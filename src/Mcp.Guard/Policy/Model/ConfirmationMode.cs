namespace Mcp.Guard.Policy;

/// <summary>When a tool call that no rule judges asks a person.</summary>
internal enum ConfirmationMode
{
    /// <summary>Every one.</summary>
    Always = 0,

    /// <summary>Those of tools that count as destructive.</summary>
    Destructive = 1,
}
