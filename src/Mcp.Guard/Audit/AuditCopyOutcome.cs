namespace Mcp.Guard.Audit;

/// <summary>How the copy of a JSON value into a line ended.</summary>
internal enum AuditCopyOutcome
{
    /// <summary>Not JSON; the initial value.</summary>
    NotJson = 0,

    /// <summary>Copied whole.</summary>
    Copied = 1,

    /// <summary>Copied whole, with U+FFFD in place of what is no text.</summary>
    Replaced = 2,

    /// <summary>Longer than permitted; the part that fits was copied.</summary>
    TooLong = 3,

    /// <summary>Nested deeper than common parsers read.</summary>
    TooDeep = 4,
}
