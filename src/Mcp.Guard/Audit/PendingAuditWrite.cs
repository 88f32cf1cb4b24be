using System.Threading.Tasks.Sources;

namespace Mcp.Guard.Audit;

/// <summary>
/// One record on its way to the file, and the caller who waits for it. Reused: it goes back to its pool when both the writer and the caller are done
/// with it.
/// </summary>
internal sealed class PendingAuditWrite(PendingAuditWritePool owner) : IValueTaskSource, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private Exception? _failure;
    private int _isDecided;
    private int _holders;
    private bool _isLeft;
    private bool _isToTell;

    public AuditRecord? Record { get; private set; }

    /// <summary>Roughly what the record holds in memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>True where it is settled what the caller is told.</summary>
    public bool IsDecided => Volatile.Read(ref _isDecided) != 0;

    /// <summary>True where the record is part of a batch. Read and set by the writer only.</summary>
    public bool IsInLog { get; set; }

    /// <summary>The next one in the pool.</summary>
    public PendingAuditWrite? Next { get; set; }

    public void Begin(AuditRecord record)
    {
        Record = record;
        Bytes = record.Content?.Bytes ?? AuditedSize.Of(record.Arguments) + AuditedSize.Of(record.Result);
        IsInLog = false;
        _holders = 2;
        Volatile.Write(ref _isDecided, 0);
    }

    public ValueTask AsTask(CancellationToken ct)
    {
        if (ct.CanBeCanceled)
        {
            _registration = ct.UnsafeRegister(
                static (state, token) => ((PendingAuditWrite)state!).Cancel(token), this);
        }

        return new(this, _core.Version);
    }

    /// <summary>Settles, once, what the caller is told: null is success. Who gets true has to <see cref="Tell"/> him; false where it was settled before.</summary>
    public bool TryDecide(Exception? failure)
    {
        if (Interlocked.Exchange(ref _isDecided, 1) != 0)
        {
            return false;
        }

        _failure = failure;
        return true;
    }

    /// <summary>Tells the caller.</summary>
    /// <param name="inPlace">Whether he goes on at once on this thread, which then must not hold anything that others wait for.</param>
    public void Tell(bool inPlace)
    {
        _core.RunContinuationsAsynchronously = !inPlace;
        if (_failure is { } failure)
        {
            _core.SetException(failure);
        }
        else
        {
            _core.SetResult(true);
        }
    }

    /// <summary>The writer has finished with the record; what is left is <see cref="GoOn"/>.</summary>
    /// <param name="isToTell">Whether it settled what the caller is told.</param>
    public void Leave(bool isToTell)
    {
        _isToTell = isToTell;
        _isLeft = true;
    }

    /// <summary>Tells the caller what the writer settled, and lets it go; nothing where the writer did not come to it.</summary>
    /// <param name="inPlace">As for <see cref="Tell"/>.</param>
    public void GoOn(bool inPlace)
    {
        if (!_isLeft)
        {
            return;
        }

        _isLeft = false;
        if (_isToTell)
        {
            Tell(inPlace);
        }

        Release();
    }

    /// <summary>The writer is done with it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Record = null;
            _failure = null;
            _core.Reset();
            owner.Return(this);
        }
    }

    /// <summary>It was not queued: neither writer nor caller holds it.</summary>
    public void Withdraw()
    {
        Release();
        Release();
    }

    /// <summary>Writes what waits, on a thread of the pool.</summary>
    void IThreadPoolWorkItem.Execute() => owner.Write(this);

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _registration.Dispose();
            _registration = default;
            Release();
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken token)
    {
        if (TryDecide(new OperationCanceledException(token)))
        {
            Tell(inPlace: false);
        }
    }
}
