namespace Mcp.Guard;

/// <summary>Why a message was stopped: one part for the audit, another that the model may read.</summary>
public sealed class GuardDenial
{
    /// <summary>Makes a denial.</summary>
    /// <param name="code">Stable kebab-case code.</param>
    /// <param name="stage">Name of the stage that denied, or of the engine.</param>
    /// <param name="reason">For the audit.</param>
    /// <param name="modelMessage">For the model; null takes the standard text of the code.</param>
    /// <param name="retryAfter">When the same call can succeed, where known.</param>
    public GuardDenial(string code, string stage, string reason, string? modelMessage = null, TimeSpan? retryAfter = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(stage);
        ArgumentNullException.ThrowIfNull(reason);
        Code = code;
        Stage = stage;
        Reason = reason;
        ModelMessage = modelMessage ?? GuardDenialCodes.MessageFor(code);
        RetryAfter = retryAfter;
    }

    /// <summary>Stable kebab-case code; see <see cref="GuardDenialCodes"/>.</summary>
    public string Code { get; }

    /// <summary>Name of the stage that denied.</summary>
    public string Stage { get; }

    /// <summary>The reason for the audit. It may name rules, paths and patterns: never show it to the model.</summary>
    public string Reason { get; }

    /// <summary>What the model may read: no secret, no rule, no exception text.</summary>
    public string ModelMessage { get; }

    /// <summary>The time after which the same call can succeed, or null where waiting does not help or is not known to.</summary>
    public TimeSpan? RetryAfter { get; }
}
