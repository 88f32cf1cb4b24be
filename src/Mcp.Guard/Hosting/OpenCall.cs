using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Timeouts;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>One request of the client from its arrival to its end. Only a call that was forwarded and has not ended accepts a reply, and only one.</summary>
internal sealed class OpenCall(RequestId id, GuardCaller caller, ExecutionContext? executionContext) : IDisposable
{
    private const int Judging = 0;
    private const int Forwarded = 1;
    private const int Ended = 2;

    private static readonly CancellationTokenSource s_stopped = new();

    private int _state;
    private CancellationTokenSource? _sending;
    private CallDeadline? _deadline;
    private CancellationTokenRegistration _cancelled;

    public RequestId Id => id;

    public GuardCaller Caller => caller;

    /// <summary>The ambient state of the caller, so that handlers of the host that the call causes run with it and not with that of whoever connected.</summary>
    public ExecutionContext? ExecutionContext => executionContext;

    public RequestContext? Context { get; set; }

    public Evaluation? Evaluation { get; set; }

    /// <summary>True for a request that the guard makes for itself: its reply goes to no client.</summary>
    public bool IsOwn { get; set; }

    /// <summary>The token under which the server may report progress, or null.</summary>
    public string? ProgressToken { get; set; }

    /// <summary>Set for every method but <c>tools/call</c>: its sender waits for the judged reply, so that a denial reaches it as an exception.</summary>
    public TaskCompletionSource? Answered { get; set; }

    public bool IsForwarded => Volatile.Read(ref _state) == Forwarded;

    /// <summary>Forwarded, whether or not it has ended since.</summary>
    public bool HasLeft => Volatile.Read(ref _state) != Judging && Evaluation is not null;

    /// <summary>The request is about to leave: from now on a reply may come.</summary>
    public void MarkForwarded() => Interlocked.CompareExchange(ref _state, Forwarded, Judging);

    /// <summary>Takes the right to end the call; false where it has not been forwarded or has ended.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Ended, Forwarded) == Forwarded;

    /// <summary>Ends a call that was never forwarded.</summary>
    public void MarkEnded() => Interlocked.Exchange(ref _state, Ended);

    /// <summary>Starts the time of the call.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="limits">How long it may take; null for a call without an end, a subscription.</param>
    /// <param name="onTimeout">Called once, with this call.</param>
    public void Arm(TimeProvider time, CallTimeLimits? limits, Action<object?> onTimeout)
    {
        if (limits is not null)
        {
            Volatile.Write(ref _deadline, new CallDeadline(limits, time, onTimeout, this));
        }
    }

    /// <summary>Ends the call when its caller gives it up, whether or not anyone waits for its sending any more.</summary>
    /// <param name="onCancelled">Called once, with this call.</param>
    /// <param name="caller">The caller's token.</param>
    public void EndWith(Action<object?> onCancelled, CancellationToken caller)
    {
        _cancelled = caller.UnsafeRegister(onCancelled, this);
        if (!IsForwarded)
        {
            _cancelled.Unregister(); // it ended meanwhile: nothing of it may hang on a token that lives long
        }
    }

    /// <summary>The server reported progress of this call.</summary>
    public void OnProgress() => Volatile.Read(ref _deadline)?.OnProgress();

    /// <summary>Stops the time while this side answers a question of the server; null where the call has no deadline.</summary>
    public IDisposable? Pause() => Volatile.Read(ref _deadline)?.Pause();

    /// <summary>What cancels the sending and, over HTTP, the stream of the reply: the caller, the end of the connection, or <see cref="StopSendingAsync"/>. The sender disposes it.</summary>
    public CancellationTokenSource BeginSending(CancellationToken caller, CancellationToken closing)
    {
        var sending = CancellationTokenSource.CreateLinkedTokenSource(caller, closing);
        if (Interlocked.CompareExchange(ref _sending, sending, null) is not null)
        {
            sending.Cancel(); // it was given up before it began
        }

        return sending;
    }

    /// <summary>Cancels the sending, also one that has not begun yet.</summary>
    public async Task StopSendingAsync()
    {
        CancellationTokenSource? sending = Interlocked.Exchange(ref _sending, s_stopped);
        if (sending is not null && sending != s_stopped)
        {
            try
            {
                await sending.CancelAsync().ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // Sent in the same moment.
            }
        }
    }

    public void Dispose()
    {
        _cancelled.Unregister();
        Volatile.Read(ref _deadline)?.Dispose();
    }
}
