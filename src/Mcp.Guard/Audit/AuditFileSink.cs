using System.Globalization;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Audit;

/// <summary>
/// The embedded audit: records go through a bounded queue to a writer that chains and writes them. Callers pay for the queue only, and wait for their
/// record as long as the durability demands; callers who wait together share one write and one synchronisation.
/// </summary>
internal sealed class AuditFileSink : IAuditSink, IAsyncDisposable
{
    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromHours(1);

    private readonly AuditFileOptions _options;
    private readonly TimeProvider _time;
    private readonly AuditLog _log;
    private readonly AuditCheckpointKeeper _checkpoints;
    private readonly AuditRecordCounts _counts;
    private readonly AuditWriteQueue _queue;
    private readonly AuditWriter _writer;
    private readonly PendingAuditWritePool _pool;
    private readonly ITimer _watch;
    private readonly ITimer _maintenance;

    public AuditFileSink(AuditFileOptions options, TimeProvider time)
        : this(options, DiskAuditStorage.Instance, time)
    {
    }

    /// <exception cref="ArgumentException">A value cannot be used; the message says which and what fixes it.</exception>
    internal AuditFileSink(AuditFileOptions options, IAuditStorage storage, TimeProvider time)
    {
        List<string> faults = options.Faults();
        if (faults.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", faults), nameof(options));
        }

        _options = options;
        _time = time;
        _log = new(options, storage, time);
        _checkpoints = new(options, _log, time);
        _counts = new(Waits);
        _queue = new(options, _counts, time);
        _writer = new(options, _log, _queue, _counts, _checkpoints);
        _pool = new(_writer.WriteSingly);
        _watch = time.CreateTimer(static queue => ((AuditWriteQueue)queue!).RefuseStalled(), _queue, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _maintenance = time.CreateTimer(
            static writer => ((AuditWriter)writer!).DemandRetention(), _writer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Keyed digests for what the log does not hold in clear; null before the log is open.</summary>
    public AuditDigest? Digest => _log.Digest;

    /// <summary>Calls that the last run left without an outcome: each may have happened.</summary>
    public IReadOnlyList<string> OpenAtStart => _log.OpenAtStart;

    /// <summary>True where the writer has nothing to do and waits.</summary>
    internal bool IsIdle => _queue.IsIdle;

    /// <summary>The state at this moment.</summary>
    public AuditFileHealth Health
    {
        get
        {
            long dropped = _counts.Dropped;
            (AuditFileState state, string message) = _writer.Failure is { } failure ? (AuditFileState.Unavailable, failure.Message)
                : _queue.IsStalled ? (AuditFileState.Unavailable, "a write has not come back in time")
                : _log.StartFinding is { } finding ? (AuditFileState.Degraded, finding)
                : dropped > 0 ? (AuditFileState.Degraded, string.Create(CultureInfo.InvariantCulture, $"{dropped} records were lost (bestEffort)"))
                : _checkpoints.Failure is { } kept ? (AuditFileState.Degraded, $"a checkpoint could not be kept: {kept.Message}")
                : _writer.MaintenanceFailure is { } unkept ? (AuditFileState.Degraded, $"old segments could not be deleted: {unkept.Message}")
                : (AuditFileState.Healthy, "records are written");
            return new(state, message, _counts.Written, _counts.Refused, dropped, _checkpoints.Failures, _log.OpenAtStart.Count);
        }
    }

    private bool Waits => _options.Durability != AuditDurability.BestEffort;

    /// <summary>
    /// Opens the log. Where that fails the reason is thrown, and the sink can still be used: every record then tries again, and is refused while it fails.
    /// </summary>
    public async Task StartAsync(CancellationToken ct)
    {
        if (_queue.IsStarted)
        {
            return; // each record tries again by itself, and tells why it cannot
        }

        if (_options.ResolveKey is { } resolve)
        {
            _log.UseKey(await resolve(ct));
        }

        _watch.Change(_options.WriteTimeout / 2, _options.WriteTimeout / 2);
        _maintenance.Change(MaintenanceInterval, MaintenanceInterval);
        _queue.Start();
        _writer.Start();
        await _writer.Opened.WaitAsync(_options.WriteTimeout, _time, ct);
    }

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(record);
        PendingAuditWrite pending = _pool.Rent();
        pending.Begin(record);
        string? refusal = _queue.TryAdd(pending, _writer.WritesSingly, out bool hasRight);
        if (refusal is not null)
        {
            pending.Withdraw();
            _counts.AddLost();
            return Waits ? ValueTask.FromException(new AuditUnavailableException(refusal)) : default;
        }

        ValueTask written = Waits ? pending.AsTask(ct) : default;
        if (hasRight)
        {
            // This thread is about to wait for the record, and then is the one that takes it up.
            if (!MessageThread.TryLeave(pending))
            {
                ThreadPool.UnsafeQueueUserWorkItem(pending, preferLocal: true);
            }
        }

        if (!Waits)
        {
            pending.Release();
        }

        return written;
    }

    public async ValueTask DisposeAsync()
    {
        bool wasStarted = _queue.Close();
        await _watch.DisposeAsync();
        await _maintenance.DisposeAsync();
        if (!wasStarted)
        {
            _log.Dispose();
            return;
        }

        try
        {
            await _writer.Ended.WaitAsync(_options.WriteTimeout, _time);
        }
        catch (TimeoutException)
        {
            // The device does not answer. The thread is a background one and ends with the process; the lock of the folder with it.
            _queue.Refuse(new AuditUnavailableException("the audit was closed while a write did not come back"));
        }

        await _checkpoints.DisposeAsync();
    }
}
