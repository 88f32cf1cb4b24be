using System.Text.Json;

namespace Mcp.Guard;

/// <summary>The answer of one stage about one message. An uninitialised value (<c>default</c>) denies with <see cref="GuardDenialCodes.GuardFault"/>.</summary>
public readonly struct GuardDecision
{
    private readonly string? _code;
    private readonly string? _reason;

    private GuardDecision(GuardDecisionKind kind, string? code, string? reason, JsonElement payload, string? modelMessage, TimeSpan? retryAfter)
    {
        Kind = kind;
        _code = code;
        _reason = reason;
        Payload = payload;
        ModelMessage = modelMessage;
        RetryAfter = retryAfter;
    }

    /// <summary>No objection.</summary>
    public static GuardDecision Continue => new(GuardDecisionKind.Continue, null, null, default, null, null);

    /// <summary>What was decided; <see cref="GuardDecisionKind.Deny"/> for an uninitialised value.</summary>
    public GuardDecisionKind Kind { get; }

    /// <summary>The stable kebab-case code (see <see cref="GuardDenialCodes"/>); empty for <see cref="GuardDecisionKind.Continue"/>.</summary>
    public string Code => _code ?? (Kind == GuardDecisionKind.Deny ? GuardDenialCodes.GuardFault : string.Empty);

    /// <summary>The reason, for the audit only: it may name rules and paths and never reaches the model.</summary>
    public string Reason => _reason ?? (Kind == GuardDecisionKind.Deny ? "the stage returned no decision" : string.Empty);

    /// <summary>The new payload of a <see cref="GuardDecisionKind.Replace"/>; otherwise undefined.</summary>
    public JsonElement Payload { get; }

    /// <summary>What the model may read about a denial, or null for the standard text of the code. It must tell no secret and no rule.</summary>
    public string? ModelMessage { get; }

    /// <summary>The time after which the same call can succeed, where the stage knows it.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Stops the message.</summary>
    /// <param name="code">A stable kebab-case code, at most 64 characters.</param>
    /// <param name="reason">The reason for the audit.</param>
    /// <param name="modelMessage">What the model may read; null for the standard text of the code.</param>
    /// <param name="retryAfter">When the same call can succeed, where known.</param>
    /// <exception cref="ArgumentException">A text is empty.</exception>
    public static GuardDecision Deny(string code, string reason, string? modelMessage = null, TimeSpan? retryAfter = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new(GuardDecisionKind.Deny, code, reason, default, modelMessage, retryAfter);
    }

    /// <summary>Forwards another payload in place of the judged one; every earlier stage judges it again, and a second replacement in that run denies.</summary>
    /// <param name="payload">The whole new payload (the message's <c>params</c>, or its <c>result</c>).</param>
    /// <param name="code">A stable kebab-case code for the audit.</param>
    /// <param name="reason">The reason for the audit.</param>
    /// <exception cref="ArgumentException">A text is empty, or the payload is undefined.</exception>
    public static GuardDecision Replace(JsonElement payload, string code, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        if (payload.ValueKind == JsonValueKind.Undefined)
        {
            throw new ArgumentException("A replacement needs a payload; pass a JSON value.", nameof(payload));
        }

        return new(GuardDecisionKind.Replace, code, reason, payload, null, null);
    }

    /// <summary>Asks a person. The reasons of all asking stages are shown in one prompt.</summary>
    /// <param name="code">A stable kebab-case code for the audit.</param>
    /// <param name="reason">Why a person is asked; shown in the prompt.</param>
    /// <exception cref="ArgumentException">A text is empty.</exception>
    public static GuardDecision AskConsent(string code, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new(GuardDecisionKind.AskConsent, code, reason, default, null, null);
    }
}
