namespace Mcp.Guard.Audit;

/// <summary>
/// The records that wait to be written, and the right to write them, which one thread holds at a time: the log's own, or a thread of the pool for a record
/// that came while nobody wrote.
/// </summary>
internal sealed class AuditWriteQueue(AuditFileOptions options, AuditRecordCounts counts, TimeProvider time)
{
    // Records hold their arguments and results whole until they are written; a single one may be larger than this and passes when it is alone.
    private const long MaxQueuedBytes = 64 * 1024 * 1024;

    private readonly object _gate = new();
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
    private bool _isThreadWaiting;
    private bool _isClosing;
    private bool _isThreadNeeded;

    /// <summary>True where nobody writes and nothing is to be done.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return !_isBusy && _incomingCount == 0 && !_isThreadNeeded;
            }
        }
    }

    public bool IsStarted => Volatile.Read(ref _isStarted);

    /// <summary>True while a write has not come back in time.</summary>
    public bool IsStalled => Volatile.Read(ref _isStalled);

    /// <summary>Records that wait, at about this moment.</summary>
    public int Waiting => Volatile.Read(ref _incomingCount);

    /// <summary>What the holder of the right took. For it only.</summary>
    public Span<PendingAuditWrite> Taken => _taken.AsSpan(0, _takenCount);

    /// <summary>Lets records in. The log's own thread, which is about to open it, holds the right to write.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void Start()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosing, this);
            _isStarted = true;
            _isBusy = true;
            _busySince = time.GetTimestamp();
        }
    }

    /// <summary>Lets nothing in any more. What waits is still written. False where it was never started.</summary>
    public bool Close()
    {
        lock (_gate)
        {
            _isClosing = true;
            Monitor.Pulse(_gate);
            return _isStarted;
        }
    }

    /// <summary>Queues a record, or says why not.</summary>
    /// <param name="pending">The record.</param>
    /// <param name="wantsRight">Whether the caller would see to the writing where nobody writes and nothing else waits.</param>
    /// <param name="hasRight">Whether it now has to: nobody else can write until <see cref="Release"/>.</param>
    public string? TryAdd(PendingAuditWrite pending, bool wantsRight, out bool hasRight)
    {
        hasRight = false;
        lock (_gate)
        {
            if (_isClosing || !_isStarted)
            {
                return _isClosing ? "the audit is closed" : "the audit is not started";
            }

            if (_isStalled)
            {
                return "a write to the audit has not come back in time";
            }

            if (_incomingCount >= PlacesFor(pending.Record!.Kind) || (_incomingCount > 0 && _incomingBytes + pending.Bytes > MaxQueuedBytes))
            {
                return "the queue of the audit is full";
            }

            if (_incomingCount == _incoming.Length)
            {
                Array.Resize(ref _incoming, _incoming.Length * 2);
            }

            hasRight = wantsRight && !_isBusy && _incomingCount == 0 && !_isThreadNeeded;
            _incoming[_incomingCount++] = pending;
            _incomingBytes += pending.Bytes;
            if (hasRight)
            {
                _isBusy = true;
                _busySince = time.GetTimestamp();
            }
            else
            {
                WakeThread();
            }

            return null;
        }
    }

    /// <summary>
    /// For the log's own thread: waits until there is something to do and nobody else writes, takes the right to write and all that waits. False when the log
    /// closes and nothing is left.
    /// </summary>
    public bool WaitAndTake()
    {
        lock (_gate)
        {
            while (_isBusy || (_incomingCount == 0 && !_isThreadNeeded && !_isClosing))
            {
                _isThreadWaiting = true;
                Monitor.Wait(_gate);
                _isThreadWaiting = false;
            }

            if (_incomingCount == 0 && _isClosing)
            {
                return false;
            }

            _isBusy = true;
            _isThreadNeeded = false;
            TakeAll();
            return true;
        }
    }

    /// <summary>For the holder of the right: takes all that waits.</summary>
    public void Take()
    {
        lock (_gate)
        {
            TakeAll();
        }
    }

    /// <summary>The first of what was taken are written, or failed.</summary>
    public void Finish(int count)
    {
        lock (_gate)
        {
            _takenDone = count;
            _busySince = time.GetTimestamp();
        }
    }

    /// <summary>Gives the right back, to the log's own thread where there is more to do.</summary>
    /// <param name="needsThread">Whether there is something to do besides what waits.</param>
    public void Release(bool needsThread = false)
    {
        lock (_gate)
        {
            _isBusy = false;
            _isStalled = false;
            _isThreadNeeded |= needsThread;
            WakeThread();
        }
    }

    /// <summary>Wakes the log's own thread, whether or not a record waits.</summary>
    public void NeedThread()
    {
        lock (_gate)
        {
            _isThreadNeeded = true;
            WakeThread();
        }
    }

    /// <summary>Refuses what waits for a write that does not come back.</summary>
    public void RefuseStalled()
    {
        lock (_gate)
        {
            if (!_isBusy || time.GetElapsedTime(_busySince) < options.WriteTimeout)
            {
                return;
            }

            _isStalled = true;
        }

        Refuse(new AuditUnavailableException("a write to the audit has not come back in time"));
    }

    /// <summary>Tells all that wait, or are being written, that they are not. Where nobody waits for them nothing happens: they are written when the device answers.</summary>
    public void Refuse(Exception reason)
    {
        if (options.Durability == AuditDurability.BestEffort)
        {
            return;
        }

        lock (_gate)
        {
            foreach (PendingAuditWrite pending in _taken.AsSpan(_takenDone.._takenCount))
            {
                Refuse(pending, reason);
            }

            foreach (PendingAuditWrite pending in _incoming.AsSpan(0, _incomingCount))
            {
                Refuse(pending, reason);
            }
        }
    }

    private void TakeAll()
    {
        (_incoming, _taken) = (_taken, _incoming);
        _takenCount = _incomingCount;
        _takenDone = 0;
        _incomingCount = 0;
        _incomingBytes = 0;
        _busySince = time.GetTimestamp();
    }

    private void Refuse(PendingAuditWrite pending, Exception reason)
    {
        if (pending.TryDecide(reason))
        {
            counts.AddLost();
            pending.Tell(inPlace: false);
        }
    }

    /// <summary>Called under the lock. A thread that holds the right looks again before it waits.</summary>
    private void WakeThread()
    {
        if (_isThreadWaiting && !_isBusy && (_incomingCount > 0 || _isThreadNeeded || _isClosing))
        {
            _isThreadWaiting = false;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// How full the queue may be for a kind. What a server or a denied caller can cause in any number never takes the places of calls, and a new call never
    /// those that the outcomes of running calls need.
    /// </summary>
    private int PlacesFor(AuditKind kind) => kind switch
    {
        AuditKind.Outcome or AuditKind.Consent or AuditKind.Halt or AuditKind.Policy or AuditKind.Start or AuditKind.Log => options.QueueCapacity,
        AuditKind.Intent => options.QueueCapacity - (options.QueueCapacity / 8),
        _ => options.QueueCapacity / 2,
    };
}
