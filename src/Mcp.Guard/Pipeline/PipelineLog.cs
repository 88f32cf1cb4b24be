using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>Log messages of the pipeline. Event ids 1000 to 1099.</summary>
internal static partial class PipelineLog
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Error, Message = "Stage '{Stage}' threw; the message is denied.")]
    public static partial void StageThrew(ILogger logger, string stage, Exception fault);

    [LoggerMessage(EventId = 1001, Level = LogLevel.Error, Message = "Stage '{Stage}' gave no decision within {Deadline}; the message is denied.")]
    public static partial void StageTimedOut(ILogger logger, string stage, TimeSpan deadline);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message = "Stage '{Stage}' has {Count} evaluations that never ended; it is not started again and its messages are denied.")]
    public static partial void StageOverrun(ILogger logger, string stage, int count);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Error, Message = "The audit did not take a record of kind {Kind} (decision {DecisionId}).")]
    public static partial void AuditFailed(ILogger logger, AuditKind kind, string decisionId, Exception fault);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "Denied {Method} {Target} at server '{Server}': {Code} by stage '{Stage}' (decision {DecisionId}).")]
    public static partial void Denied(ILogger logger, string method, string? target, string server, string code, string stage, string decisionId);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Error, Message = "The guard failed while it judged a message from server '{Server}'; that message is refused.")]
    public static partial void MessageFault(ILogger logger, string server, Exception fault);

    [LoggerMessage(EventId = 1050, Level = LogLevel.Warning, Message = "Server '{Server}' sent too many messages; the connection is ended.")]
    public static partial void ServerFloods(ILogger logger, string server);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Warning, Message = "Refused a message from server '{Server}': {Reason} ({Count} so far on this connection).")]
    public static partial void ServerMessageRefused(ILogger logger, string server, string reason, long count);

    [LoggerMessage(EventId = 1010, Level = LogLevel.Error, Message = "Server '{Server}' is ended with its processes: {Reason}.")]
    public static partial void ServerEnded(ILogger logger, string server, string reason);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Debug, Message = "Server '{Server}' could not be told that a call was cancelled ({Failure}).")]
    public static partial void CancelNotSent(ILogger logger, string server, string failure);

    [LoggerMessage(EventId = 1051, Level = LogLevel.Warning, Message = "DRY RUN: {Method} '{Target}' of server '{Server}' passes ({Word}: {Code}, stage {Stage}).")]
    public static partial void PassedByDryRun(ILogger logger, string method, string? target, string server, string word, string code, string stage);
}
