using System.Text.Json;

namespace Mcp.Guard;

/// <summary>The answer of one stage about one message. An uninitialised value (<c>default</c>) denies with <see cref="GuardDenialCodes.GuardFault"/>.</summary>
public readonly struct GuardDecision
{
    private readonly Grounds? _grounds;

    private GuardDecision(GuardDecisionKind kind, Grounds? grounds)
    {
        Kind = kind;
        _grounds = grounds;
    }

    /// <summary>No objection.</summary>
    public static GuardDecision Continue => new(GuardDecisionKind.Continue, null);

    /// <summary>What was decided; <see cref="GuardDecisionKind.Deny"/> for an uninitialised value.</summary>
    public GuardDecisionKind Kind { get; }

    /// <summary>The stable kebab-case code (see <see cref="GuardDenialCodes"/>); empty for <see cref="GuardDecisionKind.Continue"/>.</summary>
    public string Code => _grounds?.Code ?? (Kind == GuardDecisionKind.Deny ? GuardDenialCodes.GuardFault : string.Empty);

    /// <summary>The reason, for the audit only: it may name rules and paths and never reaches the model.</summary>
    public string Reason => _grounds?.Reason ?? (Kind == GuardDecisionKind.Deny ? "the stage returned no decision" : string.Empty);

    /// <summary>The new payload of a <see cref="GuardDecisionKind.Replace"/>; otherwise undefined.</summary>
    public JsonElement Payload => _grounds?.Payload ?? default;

    /// <summary>What the model may read about a denial, or null for the standard text of the code. It must tell no secret and no rule.</summary>
    public string? ModelMessage => _grounds?.ModelMessage;

    /// <summary>The time after which the same call can succeed, where the stage knows it.</summary>
    public TimeSpan? RetryAfter => _grounds?.RetryAfter;

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
        return new(GuardDecisionKind.Deny, new Grounds(code, reason, default, modelMessage, retryAfter));
    }

    /// <summary>Forwards another payload in place of the judged one; every earlier stage judges it again, and a second replacement in that run denies.</summary>
    /// <param name="payload">
    /// The whole new payload (the message's <c>params</c>, or its <c>result</c>). It is copied where its <see cref="JsonDocument"/> can be disposed of, so the
    /// stage may dispose of it, and use its buffers again, once this has returned.
    /// </param>
    /// <param name="code">A stable kebab-case code for the audit.</param>
    /// <param name="reason">The reason for the audit.</param>
    /// <exception cref="ArgumentException">A text is empty, or the payload is undefined.</exception>
    /// <exception cref="ObjectDisposedException">The payload's document is disposed.</exception>
    public static GuardDecision Replace(JsonElement payload, string code, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        if (payload.ValueKind == JsonValueKind.Undefined)
        {
            throw new ArgumentException("A replacement needs a payload; pass a JSON value.", nameof(payload));
        }

        // A copy only where the document can be disposed of: what is forwarded must stay what was judged, whatever the stage does with its buffers afterwards.
        return new(GuardDecisionKind.Replace, new Grounds(code, reason, payload.Clone(), null, null));
    }

    /// <summary>Asks a person. The reasons of all asking stages are shown in one prompt.</summary>
    /// <param name="code">A stable kebab-case code for the audit.</param>
    /// <param name="reason">Why a person is asked; shown in the prompt.</param>
    /// <exception cref="ArgumentException">A text is empty.</exception>
    public static GuardDecision AskConsent(string code, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(code);
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return new(GuardDecisionKind.AskConsent, new Grounds(code, reason, default, null, null));
    }

    /// <summary>What a decision other than <see cref="Continue"/> says. Apart, so that the decision that nearly every stage gives is no more than its kind.</summary>
    private sealed record Grounds(string Code, string Reason, JsonElement Payload, string? ModelMessage, TimeSpan? RetryAfter);
}
