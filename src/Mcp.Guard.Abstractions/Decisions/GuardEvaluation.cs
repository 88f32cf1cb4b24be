using System.Text.Json;

namespace Mcp.Guard;

/// <summary>
/// One judged message from the decision to its outcome. It holds the concurrency lease and the open audit record: dispose it in every case.
/// Disposing without <see cref="CompleteAsync"/> records the call as abandoned.
/// </summary>
public abstract class GuardEvaluation : IAsyncDisposable
{
    /// <summary>True where <see cref="Payload"/> may be forwarded.</summary>
    public abstract bool IsAllowed { get; }

    /// <summary>The value to forward: exactly the one that was judged. Undefined where the message was denied.</summary>
    public abstract JsonElement Payload { get; }

    /// <summary>Why the message may not be forwarded; null where <see cref="IsAllowed"/>.</summary>
    public abstract GuardDenial? Denial { get; }

    /// <summary>The id under which the audit holds this decision (UUID version 7, RFC 9562).</summary>
    public abstract string DecisionId { get; }

    /// <summary>The longest time that the call may take from now; infinite where the method has none.</summary>
    public abstract TimeSpan Timeout { get; }

    /// <summary>Cancelled when a person halts the scope of this call.</summary>
    public abstract CancellationToken Halted { get; }

    /// <summary>Runs the result stages over the server's answer, records the outcome and releases the lease. Call it at most once.</summary>
    /// <param name="result">The <c>result</c> of the reply.</param>
    /// <param name="ct">Cancels the wait; the outcome is then recorded as abandoned.</param>
    /// <exception cref="InvalidOperationException">The message was denied, or the evaluation is already complete.</exception>
    public abstract ValueTask<GuardResult> CompleteAsync(JsonElement result, CancellationToken ct = default);

    /// <summary>Judges an error answer (its text comes from the server), records the outcome and releases the lease. Call it at most once.</summary>
    /// <param name="errorAnswer">The <c>error</c> object of the reply.</param>
    /// <param name="ct">Cancels the wait.</param>
    /// <exception cref="InvalidOperationException">The message was denied, or the evaluation is already complete.</exception>
    public abstract ValueTask<GuardResult> CompleteErrorAsync(JsonElement errorAnswer, CancellationToken ct = default);

    /// <summary>Records that the call ended without an answer, and why, and releases the lease. Call it at most once.</summary>
    /// <param name="code">A denial code, for example <see cref="GuardDenialCodes.Timeout"/>.</param>
    /// <param name="reason">The reason for the audit.</param>
    /// <param name="ct">Cancels the wait.</param>
    public abstract ValueTask<GuardDenial> AbortAsync(string code, string reason, CancellationToken ct = default);

    /// <summary>Releases what is still held; records an abandoned call where no outcome was given.</summary>
    public abstract ValueTask DisposeAsync();
}
