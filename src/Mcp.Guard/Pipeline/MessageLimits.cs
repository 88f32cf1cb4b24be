namespace Mcp.Guard.Pipeline;

/// <summary>Bounds on every message before any stage sees it.</summary>
internal static class MessageLimits
{
    /// <summary>The deepest nesting of a message's value.</summary>
    public const int MaxDepth = 64;

    /// <summary>The largest <c>params</c> of a request, in bytes of UTF-8.</summary>
    public const int MaxRequestBytes = 1024 * 1024;

    /// <summary>The largest <c>result</c> that is read at all, in bytes of UTF-8; the policy's result limit is lower.</summary>
    public const int MaxResultBytes = 64 * 1024 * 1024;

    /// <summary>The longest intent that is kept, in UTF-16 units.</summary>
    public const int MaxIntentLength = 2048;

    /// <summary>Requests that may be open on one connection at the same time.</summary>
    public const int MaxOpenCalls = 4096;

    /// <summary>Requests of a server that may be open on one connection at the same time.</summary>
    public const int MaxOpenServerRequests = 16;

    /// <summary>Rounds of <c>input_required</c> for one call: the SDK itself resends up to 10 times.</summary>
    public const int MaxContinuationRounds = 10;

    /// <summary>Requests of a server that are judged and answered at the same time; the rest is not answered.</summary>
    public const int MaxUnansweredServerRequests = 64;

    /// <summary>Messages that the SDK has read ahead of the guard; beyond it notifications are dropped unread.</summary>
    public const int MaxUnreadMessages = 512;

    /// <summary>Notifications of one connection that are judged in a second, twice as many at once after a pause.</summary>
    public const int MaxNotificationsPerSecond = 1000;
}
