namespace Mcp.Guard.Audit;

/// <summary>
/// Writes what waits in the queue to the log. A thread of its own does so where records come together, where the device was slow or failed, and for all that
/// is more than appending; a record that comes alone is written by a thread of the pool, which spares its caller two switches of threads.
/// </summary>
/// <remarks>
/// None is the caller's: a write may block for as long as the device likes, and a caller that wrote by itself could not be released by a time-out. One thread
/// at most is lent.
/// </remarks>
internal sealed class AuditWriter
{
    private const int BatchBytes = 1024 * 1024;

    // Work that may stand before a record in the pool; behind more the log's own thread comes first, and a starved pool denies no call.
    private const int MaxPoolBacklog = 16;

    // About the time of one synchronisation of a fast device where nobody else wants the processor.
    private const int MaxYields = 128;

    private readonly AuditFileOptions _options;
    private readonly AuditLog _log;
    private readonly AuditWriteQueue _queue;
    private readonly AuditRecordCounts _counts;
    private readonly AuditCheckpointKeeper _checkpoints;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private Exception? _failure = new AuditUnavailableException("the audit files are not open yet");
    private Exception? _maintenanceFailure;
    private bool _isRetentionDemanded;

    public AuditWriter(AuditFileOptions options, AuditLog log, AuditWriteQueue queue, AuditRecordCounts counts, AuditCheckpointKeeper checkpoints)
    {
        _options = options;
        _log = log;
        _queue = queue;
        _counts = counts;
        _checkpoints = checkpoints;
        _thread = new(Run) { IsBackground = true, Name = "Mcp.Guard audit" };
    }

    /// <summary>Why the newest records could not be written; null where they were.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    /// <summary>Why old segments could not be deleted; null where they were.</summary>
    public Exception? MaintenanceFailure => Volatile.Read(ref _maintenanceFailure);

    /// <summary>Ends when the log is open, or fails as that did; it can still be used then.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Ends when all is written and the log closed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Whether a record that comes alone may be written without the thread: where each write waits for the device, the thread costs little and gathers more.</summary>
    public bool WritesSingly => _options.Durability != AuditDurability.Durable && Failure is null && ThreadPool.PendingWorkItemCount <= MaxPoolBacklog;

    public void Start() => _thread.Start();

    /// <summary>
    /// Appends what waits, on a lent thread that then goes on with the caller, and leaves everything else to the log's own thread. The caller holds the
    /// right to write.
    /// </summary>
    /// <param name="own">The caller's record.</param>
    public void WriteSingly(PendingAuditWrite own)
    {
        bool appends = false;
        bool needsThread = false;
        try
        {
            appends = _log.CanAppend;
            if (appends)
            {
                _queue.Take();
                WriteTaken(own);
                needsThread = IsMaintenanceDue;
            }
        }
        catch (Exception fault)
        {
            End(fault);
        }

        _queue.Release(needsThread);
        if (appends)
        {
            own.GoOn(inPlace: true);
        }
    }

    /// <summary>Has old segments looked for.</summary>
    public void DemandRetention()
    {
        Volatile.Write(ref _isRetentionDemanded, true);
        _queue.NeedThread();
    }

    private void Run()
    {
        try
        {
            TryOpen();
            _queue.Release();
            while (_queue.WaitAndTake())
            {
                WriteTaken(own: null);
                Maintain();
                LingerForCallers();
                _queue.Release();
            }

            Close();
        }
        catch (Exception fault)
        {
            End(fault);
        }
        finally
        {
            _log.Dispose();
            _ended.TrySetResult();
        }
    }

    /// <summary>What cannot happen has happened: nothing is written any more, and everybody learns it.</summary>
    private void End(Exception fault)
    {
        var ended = new AuditUnavailableException("the writer of the audit ended: " + fault.Message, fault);
        Volatile.Write(ref _failure, ended);
        _queue.Close();
        _queue.Refuse(ended);
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
        while (!spinner.NextSpinWillYield && _queue.Waiting == 0)
        {
            spinner.SpinOnce();
        }

        if (_options.Durability != AuditDurability.Durable)
        {
            return;
        }

        int released = _queue.Taken.Length;
        for (int i = 0; i < MaxYields && _queue.Waiting < released; i++)
        {
            Thread.Yield();
        }
    }

    private void WriteTaken(PendingAuditWrite? own)
    {
        Span<PendingAuditWrite> taken = _queue.Taken;
        int start = 0;
        while (start < taken.Length)
        {
            int end = start;
            Exception? failure = null;
            try
            {
                _log.Open();
                _log.Begin();
                while (end < taken.Length && (end == start || _log.PendingBytes < BatchBytes))
                {
                    PendingAuditWrite pending = taken[end++];
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

            _queue.Finish(end);
            Finish(taken[start..end], failure, own);
            start = end;
        }
    }

    /// <summary>Tells the callers of a batch how it went; one of them, where it is given, when the right to write was given back.</summary>
    private void Finish(Span<PendingAuditWrite> batch, Exception? failure, PendingAuditWrite? own)
    {
        Exception? told = failure is null ? null : new AuditUnavailableException("the audit cannot be written: " + failure.Message, failure);
        Volatile.Write(ref _failure, told);
        int written = 0;
        foreach (ref PendingAuditWrite place in batch)
        {
            PendingAuditWrite pending = place;
            place = null!;
            AuditRecord record = pending.Record!;
            bool inTime = pending.TryDecide(told);
            if (told is null && pending.IsInLog)
            {
                written++;
                if (!inTime && record.Kind == AuditKind.Intent)
                {
                    _log.AddNote(new(AuditLogEvent.IntentWithdrawn, record.DecisionId, default));
                }
            }

            pending.Leave(inTime);
            if (!ReferenceEquals(pending, own))
            {
                pending.GoOn(inPlace: false);
            }

            if (told is not null && inTime)
            {
                _counts.AddLost();
            }
        }

        if (told is null)
        {
            _counts.AddWritten(written);
            _checkpoints.Count(written);
            NoteLost();
        }
    }

    /// <summary>Tells in the log how many records it lacks, once it can be written again.</summary>
    private void NoteLost()
    {
        if (_counts.TryTakeUntold(out long refused, out long dropped))
        {
            _log.AddNote(AuditLogNote.Make(AuditLogEvent.Resumed, detail =>
            {
                detail.WriteNumber("refused", refused);
                detail.WriteNumber("dropped", dropped);
            }));
        }
    }

    private bool IsMaintenanceDue =>
        Failure is null && (Volatile.Read(ref _isRetentionDemanded) || _log.IsRetentionDue || _log.HasNotes || _checkpoints.IsDue);

    private void Maintain()
    {
        if (!IsMaintenanceDue)
        {
            return;
        }

        try
        {
            _log.WriteNotes();
            if (Interlocked.Exchange(ref _isRetentionDemanded, false) || _log.IsRetentionDue)
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

        if (_checkpoints.IsDue)
        {
            _checkpoints.Make();
        }
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
}
