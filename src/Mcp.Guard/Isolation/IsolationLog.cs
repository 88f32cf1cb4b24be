using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Isolation;

/// <summary>The log messages of server processes and their boxes.</summary>
internal static partial class IsolationLog
{
    [LoggerMessage(EventId = 900, Level = LogLevel.Information, Message = "Server {Server} started in {Mode} isolation, process {ProcessId}")]
    public static partial void Started(ILogger logger, string server, IsolationMode mode, int processId);

    [LoggerMessage(EventId = 901, Level = LogLevel.Warning, Message = "Server {Server} runs without isolation, as its policy says (mode none): it can do what the host's user can")]
    public static partial void NoIsolation(ILogger logger, string server);

    [LoggerMessage(EventId = 902, Level = LogLevel.Warning, Message = "Server {Server}: control {Control} is not in force: {Detail}")]
    public static partial void NotInForce(ILogger logger, string server, string control, string detail);

    [LoggerMessage(EventId = 903, Level = LogLevel.Information, Message = "Server {Server} wrote to standard error: {Line}")]
    public static partial void StandardError(ILogger logger, string server, string line);

    [LoggerMessage(EventId = 904, Level = LogLevel.Warning, Message = "Server {Server} writes too much to standard error: {Lines} lines were not logged")]
    public static partial void StandardErrorDropped(ILogger logger, string server, long lines);

    [LoggerMessage(EventId = 905, Level = LogLevel.Information, Message = "Server {Server} ended with code {Code} (ended by the guard: {Requested})")]
    public static partial void Ended(ILogger logger, string server, int? code, bool requested);

    [LoggerMessage(EventId = 906, Level = LogLevel.Warning, Message = "Server {Server}: left-overs could not be removed")]
    public static partial void CleanUpFailed(ILogger logger, Exception fault, string server);

    [LoggerMessage(EventId = 907, Level = LogLevel.Warning, Message = "Server {Server} is ended: {Reason}")]
    public static partial void OverLimit(ILogger logger, string server, string reason);
}
