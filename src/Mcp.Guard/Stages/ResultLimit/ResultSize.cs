namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>Which limit a result passes. An uninitialised value refuses.</summary>
internal enum ResultSize
{
    /// <summary>Not JSON that can be measured.</summary>
    Unreadable = 0,

    /// <summary>Within all limits.</summary>
    Fits,

    /// <summary>More bytes than permitted.</summary>
    TooManyBytes,

    /// <summary>More values than permitted.</summary>
    TooManyItems,

    /// <summary>Nested more deeply than permitted.</summary>
    TooDeep,
}
