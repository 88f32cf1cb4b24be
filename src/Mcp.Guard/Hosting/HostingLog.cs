using Mcp.Guard.Isolation;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Hosting;

/// <summary>Log messages of the hosting part. Event ids 1100 to 1199.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(EventId = 1100, Level = LogLevel.Information, Message = "Policy {Revision}: {What}.")]
    public static partial void PolicyChanged(ILogger logger, string revision, string what, Exception? error);

    [LoggerMessage(EventId = 1101, Level = LogLevel.Warning, Message = "Policy: {Warning}")]
    public static partial void PolicyWarning(ILogger logger, string warning);

    [LoggerMessage(EventId = 1102, Level = LogLevel.Warning, Message = "Server '{Server}' runs without isolation (\"mode\": \"none\"): it can do whatever this user can.")]
    public static partial void NotIsolated(ILogger logger, string server);

    [LoggerMessage(EventId = 1103, Level = LogLevel.Information, Message = "Server '{Server}' started, isolation {Mode}.")]
    public static partial void ServerStarted(ILogger logger, string server, IsolationMode mode);

    [LoggerMessage(EventId = 1110, Level = LogLevel.Warning, Message = "The connection to server '{Server}' failed: {Failure}")]
    public static partial void TransportFailed(ILogger logger, string server, string failure);

    [LoggerMessage(EventId = 1111, Level = LogLevel.Debug, Message = "Server '{Server}' wrote a line that is no message; it was passed over ({Count} so far).")]
    public static partial void UnreadableLine(ILogger logger, string server, long count);

    [LoggerMessage(EventId = 1140, Level = LogLevel.Error, Message = "The transport given for the server '{Server}' does not send through the HttpClient that the guard made for it; the connection was ended. Build the HttpClientTransport over that client.")]
    public static partial void ForeignHttpClient(ILogger logger, string server);
}
