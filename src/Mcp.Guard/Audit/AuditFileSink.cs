using System.Globalization;

namespace Mcp.Guard.Audit;

/// <summary>
/// The embedded audit: records go through a bounded queue to one thread that chains and writes them. Callers pay for the queue only, and wait for their
/// record as long as the durability demands; callers who wait together share one write and one synchronisation.
/// </summary>
/// <remarks>
/// A thread of its own, because a write may block for as long as the device likes: the pool's threads belong to the host, and a caller that wrote by
/// itself could not be released by a time-out.
/// </remarks>
internal sealed class AuditFileSink : IAuditSink, IAsyncDisposable
{
    private const int BatchBytes = 1024 * 1024;

    // About the time of one synchronisation of a fast device where nobody else wants the processor.
    private const int MaxYields = 128;

    // Records hold their arguments and results whole until they are written; a single one may be larger than this and passes when it is alone.
    private const long MaxQueuedBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromHours(1);

    private readonly AuditFileOptions _options;
    private readonly TimeProvider _time;
    private readonly AuditLog _log;
    private readonly AuditCheckpointKeeper _checkpoints;
    private readonly PendingAuditWritePool _pool = new();
    private readonly object _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly ITimer _watch;
    private readonly ITimer _maintenance;

    private PendingAuditWrite[] _incoming = new PendingAuditWrite[256];
    private PendingAuditWrite[] _taken = new PendingAuditWrite[256];
    private int _incomingCount;
    private long _incomingBytes;
    private int _takenCount;
    private int _takenDone;
    private long _busySince;
    private bool _isBusy;
    private bool _isStalled;
    private bool _isStarted;
    private bool _isWaiting;
    private bool _isClosing;
    private bool _isMaintenanceDue;

    private Exception? _failure = new AuditUnavailableException("the audit files are not open yet");
    private long _written;
    private long _refused;
    private long _dropped;
    private long _refusedToTell;
    private long _droppedToTell;
    private Exception? _maintenanceFailure;

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
        _watch = time.CreateTimer(static sink => ((AuditFileSink)sink!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _maintenance = time.CreateTimer(
            static sink => ((AuditFileSink)sink!).DemandMaintenance(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new(Run) { IsBackground = true, Name = "Mcp.Guard audit" };
    }

    /// <summary>Keyed digests for what the log does not hold in clear; null before the log is open.</summary>
    public AuditDigest? Digest => _log.Digest;

    /// <summary>Calls that the last run left without an outcome: each may have happened.</summary>
    public IReadOnlyList<string> OpenAtStart => _log.OpenAtStart;

    /// <summary>True where the writer has nothing to do and waits.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return !_isBusy && _incomingCount == 0 && !_isMaintenanceDue;
            }
        }
    }

    /// <summary>The state at this moment.</summary>
    public AuditFileHealth Health
    {
        get
        {
            Exception? failure = Volatile.Read(ref _failure);
            long dropped = Volatile.Read(ref _dropped);
            (AuditFileState state, string message) = failure is not null ? (AuditFileState.Unavailable, failure.Message)
                : Volatile.Read(ref _isStalled) ? (AuditFileState.Unavailable, "a write has not come back in time")
                : _log.StartFinding is { } finding ? (AuditFileState.Degraded, finding)
                : dropped > 0 ? (AuditFileState.Degraded, string.Create(CultureInfo.InvariantCulture, $"{dropped} records were lost (bestEffort)"))
                : _checkpoints.Failure is { } kept ? (AuditFileState.Degraded, $"a checkpoint could not be kept: {kept.Message}")
                : Volatile.Read(ref _maintenanceFailure) is { } unkept ? (AuditFileState.Degraded, $"old segments could not be deleted: {unkept.Message}")
                : (AuditFileState.Healthy, "records are written");
            return new(
                state, message, Volatile.Read(ref _written), Volatile.Read(ref _refused), dropped, _checkpoints.Failures, _log.OpenAtStart.Count);
        }
    }

    /// <summary>
    /// Opens the log. Where that fails the reason is thrown, and the sink can still be used: every record then tries again, and is refused while it fails.
    /// </summary>
    public async Task StartAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _isStarted))
        {
            return; // each record tries again by itself, and tells why it cannot
        }

        if (_options.ResolveKey is { } resolve)
        {
            _log.UseKey(await resolve(ct));
        }

        _watch.Change(_options.WriteTimeout / 2, _options.WriteTimeout / 2);
        _maintenance.Change(MaintenanceInterval, MaintenanceInterval);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosing, this);
            _isStarted = true;
            _isBusy = true;
            _busySince = _time.GetTimestamp();
        }

        _thread.Start();
        await _opened.Task.WaitAsync(_options.WriteTimeout, _time, ct);
    }

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(record);
        bool waits = _options.Durability != AuditDurability.BestEffort;
        PendingAuditWrite pending = _pool.Rent();
        pending.Begin(record);
        string? refusal = null;
        lock (_gate)
        {
            if (_isClosing || !_isStarted)
            {
                refusal = _isClosing ? "the audit is closed" : "the audit is not started";
            }
            else if (_isStalled)
            {
                refusal = "a write to the audit has not come back in time";
            }
            else if (_incomingCount >= PlacesFor(record.Kind) || (_incomingCount > 0 && _incomingBytes + pending.Bytes > MaxQueuedBytes))
            {
                refusal = "the queue of the audit is full";
            }
            else
            {
                if (_incomingCount == _incoming.Length)
                {
                    Array.Resize(ref _incoming, _incoming.Length * 2);
                }

                _incoming[_incomingCount++] = pending;
                _incomingBytes += pending.Bytes;
                if (_isWaiting)
                {
                    _isWaiting = false;
                    Monitor.Pulse(_gate);
                }
            }
        }

        if (refusal is not null)
        {
            pending.Withdraw();
            return waits ? Refuse(refusal) : Drop();
        }

        if (waits)
        {
            return pending.AsTask(ct);
        }

        pending.Release();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        bool started;
        lock (_gate)
        {
            started = _isStarted;
            _isClosing = true;
            Monitor.Pulse(_gate);
        }

        await _watch.DisposeAsync();
        await _maintenance.DisposeAsync();
        if (!started)
        {
            _log.Dispose();
            return;
        }

        try
        {
            await _ended.Task.WaitAsync(_options.WriteTimeout, _time);
        }
        catch (TimeoutException)
        {
            // The device does not answer. The thread is a background one and ends with the process; the lock of the folder with it.
            FailAll(new AuditUnavailableException("the audit was closed while a write did not come back"));
        }

        await _checkpoints.DisposeAsync();
    }

    private ValueTask Refuse(string reason)
    {
        CountRefused();
        return ValueTask.FromException(new AuditUnavailableException(reason));
    }

    private void CountRefused()
    {
        Interlocked.Increment(ref _refused);
        Interlocked.Increment(ref _refusedToTell);
        GuardTelemetry.CountRecords("refused", 1);
    }

    private void CountDropped()
    {
        Interlocked.Increment(ref _dropped);
        Interlocked.Increment(ref _droppedToTell);
        GuardTelemetry.CountRecords("dropped", 1);
    }

    private ValueTask Drop()
    {
        CountDropped();
        return default;
    }

    /// <summary>
    /// How full the queue may be for a kind. What a server or a denied caller can cause in any number never takes the places of calls, and a new call never
    /// those that the outcomes of running calls need.
    /// </summary>
    private int PlacesFor(AuditKind kind) => kind switch
    {
        AuditKind.Outcome or AuditKind.Consent or AuditKind.Halt or AuditKind.Policy or AuditKind.Start or AuditKind.Log => _options.QueueCapacity,
        AuditKind.Intent => _options.QueueCapacity - (_options.QueueCapacity / 8),
        _ => _options.QueueCapacity / 2,
    };

    private void Run()
    {
        try
        {
            TryOpen();
            while (Take())
            {
                WriteTaken();
                Maintain();
                LingerForCallers();
            }

            Close();
        }
        catch (Exception fault)
        {
            Volatile.Write(ref _failure, new AuditUnavailableException("the writer of the audit ended: " + fault.Message, fault));
            lock (_gate)
            {
                _isClosing = true;
            }

            FailAll(_failure!);
        }
        finally
        {
            _log.Dispose();
            _ended.TrySetResult();
        }
    }

    private void TryOpen()
    {
        try
        {
            _log.Open();
            Volatile.Write(ref _failure, null);
            _opened.TrySetResult();
        }
        catch (Exception fault)
        {
            Volatile.Write(ref _failure, fault);
            _opened.TrySetException(fault);
        }
    }

    /// <summary>
    /// Callers who were just released are about to write again: a few microseconds of patience spare both sides a switch of threads, and let more of them
    /// share the next write. Where each write is synchronised, the first to come back would otherwise go alone and all others wait for the one after: then the
    /// writer gives way, a bounded number of times, until as many have come as were released.
    /// </summary>
    private void LingerForCallers()
    {
        var spinner = default(SpinWait);
        while (!spinner.NextSpinWillYield && Volatile.Read(ref _incomingCount) == 0)
        {
            spinner.SpinOnce();
        }

        if (_options.Durability != AuditDurability.Durable)
        {
            return;
        }

        for (int i = 0; i < MaxYields && Volatile.Read(ref _incomingCount) < _takenCount; i++)
        {
            Thread.Yield();
        }
    }

    /// <summary>Waits for records or other work and takes what is there; false when the sink closes and nothing is left.</summary>
    private bool Take()
    {
        lock (_gate)
        {
            _isBusy = false;
            _isStalled = false;
            while (_incomingCount == 0 && !_isMaintenanceDue && !_isClosing)
            {
                _isWaiting = true;
                Monitor.Wait(_gate);
                _isWaiting = false;
            }

            if (_incomingCount == 0 && _isClosing)
            {
                return false;
            }

            (_incoming, _taken) = (_taken, _incoming);
            _takenCount = _incomingCount;
            _takenDone = 0;
            _incomingCount = 0;
            _incomingBytes = 0;
            _isBusy = true;
            _busySince = _time.GetTimestamp();
            return true;
        }
    }

    private void WriteTaken()
    {
        int start = 0;
        while (start < _takenCount)
        {
            int end = start;
            Exception? failure = null;
            try
            {
                _log.Open();
                _log.Begin();
                while (end < _takenCount && (end == start || _log.PendingBytes < BatchBytes))
                {
                    PendingAuditWrite pending = _taken[end++];
                    AuditRecord record = pending.Record!;
                    // A call that was refused while it waited here does not leave, so it has no intent. Everything else happened and is told.
                    if (record.Kind != AuditKind.Intent || !pending.IsDecided)
                    {
                        _log.Add(record);
                        pending.IsInLog = true;
                    }
                }

                _log.Commit();
            }
            catch (Exception fault)
            {
                failure = fault;
                end = int.Max(end, start + 1);
                _log.Abandon();
            }

            Finish(start, end, failure);
            start = end;
        }
    }

    /// <summary>Tells the callers of a batch how it went.</summary>
    private void Finish(int start, int end, Exception? failure)
    {
        lock (_gate)
        {
            _takenDone = end;
            _busySince = _time.GetTimestamp();
        }

        Exception? told = failure is null ? null : new AuditUnavailableException("the audit cannot be written: " + failure.Message, failure);
        Volatile.Write(ref _failure, told);
        int written = 0;
        for (int i = start; i < end; i++)
        {
            PendingAuditWrite pending = _taken[i];
            _taken[i] = null!;
            AuditRecord record = pending.Record!;
            bool inTime = pending.TryDecide(told);
            if (told is not null)
            {
                CountLost(inTime);
            }
            else if (pending.IsInLog)
            {
                written++;
                if (!inTime && record.Kind == AuditKind.Intent)
                {
                    _log.AddNote(new(AuditLogEvent.IntentWithdrawn, record.DecisionId, default));
                }
            }

            pending.Release();
        }

        if (told is null)
        {
            Interlocked.Add(ref _written, written);
            GuardTelemetry.CountRecords("written", written);
            _checkpoints.Count(written);
            NoteLost();
        }
    }

    /// <summary>Tells in the log how many records it lacks, once it can be written again.</summary>
    private void NoteLost()
    {
        if (Volatile.Read(ref _refusedToTell) == 0 && Volatile.Read(ref _droppedToTell) == 0)
        {
            return;
        }

        long refused = Interlocked.Exchange(ref _refusedToTell, 0);
        long dropped = Interlocked.Exchange(ref _droppedToTell, 0);
        _log.AddNote(AuditLogNote.Make(AuditLogEvent.Resumed, detail =>
        {
            detail.WriteNumber("refused", refused);
            detail.WriteNumber("dropped", dropped);
        }));
    }

    private void Maintain()
    {
        bool due;
        lock (_gate)
        {
            due = _isMaintenanceDue;
            _isMaintenanceDue = false;
        }

        if (_failure is not null)
        {
            return;
        }

        if (due || _log.IsRetentionDue || _log.HasNotes)
        {
            try
            {
                _log.WriteNotes();
                if (due || _log.IsRetentionDue)
                {
                    _log.Retain();
                }

                Volatile.Write(ref _maintenanceFailure, null);
            }
            catch (Exception fault)
            {
                _log.Abandon();
                Volatile.Write(ref _maintenanceFailure, fault);
            }
        }

        _checkpoints.MakeIfDue();
    }

    private void Close()
    {
        if (_failure is not null)
        {
            return;
        }

        try
        {
            _log.WriteClosed();
            _checkpoints.Make();
        }
        catch (Exception fault)
        {
            Volatile.Write(ref _failure, fault);
        }
    }

    private void DemandMaintenance()
    {
        lock (_gate)
        {
            _isMaintenanceDue = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Refuses what waits for a write that does not come back.</summary>
    private void Watch()
    {
        lock (_gate)
        {
            if (!_isBusy || _time.GetElapsedTime(_busySince) < _options.WriteTimeout)
            {
                return;
            }

            _isStalled = true;
        }

        FailAll(new AuditUnavailableException("a write to the audit has not come back in time"));
    }

    private void FailAll(Exception reason)
    {
        if (_options.Durability == AuditDurability.BestEffort)
        {
            // Nobody waits; what is queued is still written when the device answers.
            return;
        }

        lock (_gate)
        {
            for (int i = _takenDone; i < _takenCount; i++)
            {
                CountLost(_taken[i].TryDecide(reason));
            }

            for (int i = 0; i < _incomingCount; i++)
            {
                CountLost(_incoming[i].TryDecide(reason));
            }
        }
    }

    private void CountLost(bool wasFirstTold)
    {
        if (!wasFirstTold)
        {
            return;
        }

        if (_options.Durability == AuditDurability.BestEffort)
        {
            CountDropped();
        }
        else
        {
            CountRefused();
        }
    }
}
