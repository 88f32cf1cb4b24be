namespace Mcp.Guard.Policy;

/// <summary>How much of arguments and results the audit keeps.</summary>
internal enum ContentRecording
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Names, types and lengths.</summary>
    Shape = 1,

    /// <summary>Values, credentials removed.</summary>
    Redacted = 2,

    /// <summary>Values as they are.</summary>
    Full = 3,
}
