using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Gateway;

/// <summary>Log messages of gateways. Event ids 1200 to 1299.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(EventId = 1200, Level = LogLevel.Warning, Message = "Gateway: the tools of server '{Server}' cannot be listed now.")]
    public static partial void NotListed(ILogger logger, string server, Exception failure);

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "Gateway: McpGuardGatewayOptions.CallerOf failed; the request has no caller.")]
    public static partial void CallerFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Warning, Message = "Gateway: an own {Method} failed.")]
    public static partial void OwnFailed(ILogger logger, string method, Exception failure);

    [LoggerMessage(EventId = 1203, Level = LogLevel.Warning, Message = "Gateway: what server '{Server}' tells cannot be followed ({Failure}).")]
    public static partial void NotFollowed(ILogger logger, string server, string failure);

    [LoggerMessage(EventId = 1204, Level = LogLevel.Warning, Message = "Gateway: a {Method} that was passed on to server '{Server}' failed.")]
    public static partial void PassedOnFailed(ILogger logger, string method, string server, Exception failure);

    [LoggerMessage(EventId = 1205, Level = LogLevel.Information, Message = "Gateway: a subscription was refused.")]
    public static partial void NotSubscribed(ILogger logger, Exception failure);
}
