using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Audit;

/// <summary>
/// Tells the host's log what was decided. Arguments, results, reasons and the model's words appear at <see cref="LogLevel.Trace"/> only. Every text is
/// escaped, because a log may be plain lines. It keeps no promise of the audit: a logger may drop what it gets.
/// </summary>
internal sealed partial class LoggerAuditSink(ILogger logger) : IAuditSink
{
    private const string Category = "Mcp.Guard.Audit";

    private const int MaxShown = 200;

    public LoggerAuditSink(ILoggerFactory loggers)
        : this(loggers.CreateLogger(Category))
    {
    }

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        LogLevel level = LevelOf(record);
        if (logger.IsEnabled(level))
        {
            string kind = AuditKindNames.Text(record.Kind);
            string decision = Shown(record.Decision);
            string code = Shown(record.Code);
            string server = Shown(record.Server);
            string method = Shown(record.Method);
            string target = NamesTarget(record) ? Shown(record.Target) : string.Empty;
            string stage = Shown(record.Stage);
            string rule = Shown(record.Rule);
            string user = Shown(record.UserId);
            string session = Shown(record.SessionId);
            string decisionId = Shown(record.DecisionId);
            Decision(level, kind, decision, code, server, method, target, stage, rule, user, session, record.Count, decisionId);
        }

        if (logger.IsEnabled(LogLevel.Trace))
        {
            string decisionId = Shown(record.DecisionId);
            string target = Shown(record.Target);
            string reason = Shown(record.Reason);
            string intent = Shown(record.Intent);
            string arguments = AuditContentText.Of(record.Arguments);
            string result = AuditContentText.Of(record.Result);
            Content(decisionId, target, reason, intent, arguments, result);
        }

        return default;
    }

    private static LogLevel LevelOf(AuditRecord record) => record.Kind switch
    {
        AuditKind.Denial or AuditKind.ServerMessage or AuditKind.Halt => LogLevel.Warning,
        AuditKind.Intent => LogLevel.Debug,
        _ => LogLevel.Information,
    };

    /// <summary>The URI of a resource can hold what the arguments hold; the name of a tool or prompt cannot.</summary>
    private static bool NamesTarget(AuditRecord record) => record.Method is "tools/call" or "prompts/get";

    private static string Shown(string? text) => AuditContentText.Escape(text, MaxShown);

    [LoggerMessage(
        EventId = 4800,
        EventName = "McpGuardAudit",
        Message = "MCP {Kind} {Decision} {Code}: server {Server}, {Method} {Target}, stage {Stage}, rule {Rule}, user {User}, session {Session}, count {Count}, decision {DecisionId}")]
    private partial void Decision(
        LogLevel level,
        string kind,
        string decision,
        string code,
        string server,
        string method,
        string target,
        string stage,
        string rule,
        string user,
        string session,
        long count,
        string decisionId);

    [LoggerMessage(
        EventId = 4801,
        EventName = "McpGuardAuditContent",
        Level = LogLevel.Trace,
        Message = "MCP decision {DecisionId}: target {Target}, reason {Reason}, intent {Intent}, arguments {Arguments}, result {Result}")]
    private partial void Content(string decisionId, string target, string reason, string intent, string arguments, string result);
}
