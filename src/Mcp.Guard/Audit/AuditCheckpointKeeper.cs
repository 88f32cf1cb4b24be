namespace Mcp.Guard.Audit;

/// <summary>
/// Makes checkpoints at intervals and hands them to where they are kept. A file is written by the log's own thread; a host's sink may be slow, so it runs
/// beside it, one at a time, and gets the newest. Failures are counted and stop no call.
/// </summary>
internal sealed class AuditCheckpointKeeper(AuditFileOptions options, AuditLog log, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _cancel = new();
    private AuditCheckpoint? _next;
    private Task? _pump;
    private long _lastMade = time.GetTimestamp();
    private long _since;
    private long _failures;
    private Exception? _failure;

    /// <summary>The newest failure; null where the newest checkpoint was kept.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    public long Failures => Volatile.Read(ref _failures);

    private bool IsWanted => options.CheckpointPath is not null || options.CheckpointSink is not null;

    /// <summary>Whether enough was written, or time has gone by, since the last one. For the writer only.</summary>
    public bool IsDue => IsWanted && _since > 0 && (_since >= options.CheckpointRecords || time.GetElapsedTime(_lastMade) >= options.CheckpointInterval);

    public void Count(int records) => _since += records;

    public void Make()
    {
        if (!IsWanted)
        {
            return;
        }

        _since = 0;
        _lastMade = time.GetTimestamp();
        try
        {
            AuditCheckpoint checkpoint = log.MakeCheckpoint();
            if (options.CheckpointSink is not null)
            {
                Hand(checkpoint);
            }

            if (options.CheckpointPath is not null)
            {
                log.WriteCheckpointFile(checkpoint);
            }

            if (options.CheckpointSink is null)
            {
                Volatile.Write(ref _failure, null);
            }
        }
        catch (Exception fault)
        {
            Fail(fault);
        }
    }

    /// <summary>Waits a bounded time for a host's sink to take the last one.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? pump;
        lock (_gate)
        {
            pump = _pump;
        }

        if (pump is not null)
        {
            try
            {
                await pump.WaitAsync(FinishTimeout, time);
            }
            catch (TimeoutException fault)
            {
                Fail(fault);
                await _cancel.CancelAsync();
            }
        }

        _cancel.Dispose();
    }

    private void Hand(AuditCheckpoint checkpoint)
    {
        lock (_gate)
        {
            _next = checkpoint;
            _pump ??= Task.Run(PumpAsync);
        }
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            AuditCheckpoint checkpoint;
            lock (_gate)
            {
                if (_next is null)
                {
                    _pump = null;
                    return;
                }

                checkpoint = _next;
                _next = null;
            }

            try
            {
                await options.CheckpointSink!.WriteAsync(checkpoint, _cancel.Token);
                Volatile.Write(ref _failure, null);
            }
            catch (Exception fault)
            {
                Fail(fault);
            }
        }
    }

    private void Fail(Exception fault)
    {
        Interlocked.Increment(ref _failures);
        Volatile.Write(ref _failure, fault);
    }
}
