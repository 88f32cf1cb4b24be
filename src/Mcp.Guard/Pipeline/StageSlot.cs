using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// One stage in the list, with what keeps its faults from becoming an allow: an exception, a missed deadline and an uninitialised decision deny.
/// Stages of other assemblies run on a thread of the pool, so that one that blocks its thread is given up at the deadline too.
/// </summary>
internal sealed class StageSlot<TContext>(IGuardStage<TContext> stage, TimeSpan deadline, TimeProvider time, ILogger logger)
    where TContext : GuardContext
{
    /// <summary>Evaluations of one stage that were given up and still run; beyond it the stage is no longer started.</summary>
    private const int MaxAbandoned = 16;

    private readonly bool _isForeign = stage.GetType().Assembly != typeof(StageSlot<>).Assembly;

    // Looked up once: a call through the interface, at the one place where all stages are called, searches for its target each time.
    private readonly Func<TContext, CancellationToken, ValueTask<GuardDecision>> _evaluate = stage.EvaluateAsync;
    private int _abandoned;

    public string Name { get; } = stage.Name;

    public IGuardStage<TContext> Stage { get; } = stage;

    /// <summary>Runs the stage. Only the caller's own cancellation comes out as an exception.</summary>
    public ValueTask<GuardDecision> RunAsync(TContext context, CancellationToken ct)
    {
        if (_isForeign)
        {
            return RunForeignAsync(context, ct);
        }

        ValueTask<GuardDecision> pending;
        try
        {
            pending = _evaluate(context, ct);
        }
        catch (Exception fault) when (!IsCallerCancellation(fault, ct))
        {
            return new(Fault(fault));
        }

        return pending.IsCompletedSuccessfully ? pending : AwaitAsync(pending.AsTask(), null, ct);
    }

    /// <summary>Runs the stage; false where its decision is not there at once, as nearly every one is, and has to be awaited.</summary>
    public bool TryRun(TContext context, CancellationToken ct, out GuardDecision decision, [NotNullWhen(false)] out Task<GuardDecision>? pending)
    {
        decision = default;
        pending = null;
        if (_isForeign)
        {
            pending = RunForeignAsync(context, ct).AsTask();
            return false;
        }

        try
        {
            // Read where it is returned: a copy of the whole value right after its parts were written makes the processor wait, once a stage.
            ValueTask<GuardDecision> running = _evaluate(context, ct);
            if (running.IsCompletedSuccessfully)
            {
                decision = running.Result;
                return true;
            }

            pending = AwaitAsync(running.AsTask(), null, ct).AsTask();
            return false;
        }
        catch (Exception fault) when (!IsCallerCancellation(fault, ct))
        {
            decision = Fault(fault);
            return true;
        }
    }

    private static bool IsCallerCancellation(Exception fault, CancellationToken ct) => fault is OperationCanceledException && ct.IsCancellationRequested;

    private async ValueTask<GuardDecision> RunForeignAsync(TContext context, CancellationToken ct)
    {
        if (Volatile.Read(ref _abandoned) >= MaxAbandoned)
        {
            PipelineLog.StageOverrun(logger, Name, MaxAbandoned);
            return GuardDecision.Deny(GuardDenialCodes.GuardFault, $"stage '{Name}' has {MaxAbandoned} evaluations that never ended and is not started again");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        CancellationToken stageToken = limit.Token;
        Task<GuardDecision> running = Task.Run(async () => await _evaluate(context, stageToken).ConfigureAwait(false), CancellationToken.None);
        return await AwaitAsync(running, limit, ct).ConfigureAwait(false);
    }

    private async ValueTask<GuardDecision> AwaitAsync(Task<GuardDecision> running, CancellationTokenSource? limit, CancellationToken ct)
    {
        try
        {
            // A stage with a longer wait of its own (a person is asked) has an infinite deadline here and bounds itself.
            return await running.WaitAsync(deadline, time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!running.IsCompleted)
        {
            Abandon(running, limit);
            PipelineLog.StageTimedOut(logger, Name, deadline);
            return GuardDecision.Deny(GuardDenialCodes.GuardFault, $"stage '{Name}' gave no decision within {deadline.TotalSeconds:0.###} s");
        }
        catch (Exception fault) when (!IsCallerCancellation(fault, ct))
        {
            return Fault(fault);
        }
        catch (OperationCanceledException)
        {
            Abandon(running, limit);
            throw;
        }
    }

    private void Abandon(Task running, CancellationTokenSource? limit)
    {
        limit?.Cancel();
        if (running.IsCompleted)
        {
            return;
        }

        Interlocked.Increment(ref _abandoned);
        _ = running.ContinueWith(
            static (ended, state) =>
            {
                _ = ended.Exception;
                Interlocked.Decrement(ref ((StageSlot<TContext>)state!)._abandoned);
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private GuardDecision Fault(Exception fault)
    {
        PipelineLog.StageThrew(logger, Name, fault);
        return GuardDecision.Deny(GuardDenialCodes.GuardFault, $"stage '{Name}' threw {fault.GetType().Name}");
    }
}
