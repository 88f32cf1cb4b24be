namespace Mcp.Guard.Hosting;

/// <summary>Why a message of a server was not let through.</summary>
internal enum RefusalReason
{
    /// <summary>A reply to an id that is not open: unknown, foreign, of another JSON type, or answered before.</summary>
    UnknownReply = 0,

    /// <summary>A reply to a request that the guard is still judging: a forgery.</summary>
    EarlyReply,

    /// <summary>A reply to a call that was cancelled, timed out or stopped.</summary>
    LateReply,

    /// <summary>A request that belongs to no call, or to one of several callers.</summary>
    UnboundRequest,

    /// <summary>A request that the method table or a stage refuses.</summary>
    RefusedRequest,

    /// <summary>A notification that the method table or a stage refuses.</summary>
    RefusedNotification,

    /// <summary>More than the connection may hold at the same time.</summary>
    Overflow,
}
