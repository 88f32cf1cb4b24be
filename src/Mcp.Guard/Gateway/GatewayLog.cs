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
}
