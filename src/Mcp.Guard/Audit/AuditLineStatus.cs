namespace Mcp.Guard.Audit;

/// <summary>What a reader found where it looked for a line.</summary>
internal enum AuditLineStatus
{
    /// <summary>Nothing more.</summary>
    End = 0,

    /// <summary>A line that ends in a line feed.</summary>
    Line = 1,

    /// <summary>Bytes after the last line feed, up to the end.</summary>
    Partial = 2,

    /// <summary>More bytes without a line feed than any line of the log has.</summary>
    TooLong = 3,
}
