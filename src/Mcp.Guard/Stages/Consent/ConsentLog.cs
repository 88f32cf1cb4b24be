using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Stages.Consent;

/// <summary>Log messages of consent: faults of its parts, never what was asked or answered.</summary>
internal static partial class ConsentLog
{
    [LoggerMessage(5001, LogLevel.Error, "The consent store failed to {Operation} for decision {DecisionId}; the person is asked as if nothing were remembered.")]
    public static partial void StoreFailed(ILogger logger, string operation, string decisionId, Exception failure);

    [LoggerMessage(5002, LogLevel.Error, "The consent provider failed for decision {DecisionId}; the call is denied.")]
    public static partial void ProviderFailed(ILogger logger, string decisionId, Exception failure);

    [LoggerMessage(5003, LogLevel.Error, "Asking for consent failed; the waiting calls are denied.")]
    public static partial void PromptFailed(ILogger logger, Exception failure);

    [LoggerMessage(5004, LogLevel.Error, "A refusal of consent could not be recorded for decision {DecisionId}; it stands.")]
    public static partial void RecordFailed(ILogger logger, string decisionId, Exception failure);
}
