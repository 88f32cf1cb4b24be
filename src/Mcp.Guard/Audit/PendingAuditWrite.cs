using System.Threading.Tasks.Sources;

namespace Mcp.Guard.Audit;

/// <summary>
/// One record on its way to the file, and the caller who waits for it. Reused: it goes back to its pool when both the writer and the caller are done
/// with it.
/// </summary>
internal sealed class PendingAuditWrite(PendingAuditWritePool owner) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _registration;
    private int _isDecided;
    private int _holders;

    public AuditRecord? Record { get; private set; }

    /// <summary>Roughly what the record holds in memory.</summary>
    public long Bytes { get; private set; }

    /// <summary>True where the caller has been told that the record was not written.</summary>
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
                static (state, token) => ((PendingAuditWrite)state!).TryDecide(new OperationCanceledException(token)), this);
        }

        return new(this, _core.Version);
    }

    /// <summary>Tells the caller, once: null is success. False where the caller had been told before.</summary>
    public bool TryDecide(Exception? failure)
    {
        if (Interlocked.Exchange(ref _isDecided, 1) != 0)
        {
            return false;
        }

        if (failure is null)
        {
            _core.SetResult(true);
        }
        else
        {
            _core.SetException(failure);
        }

        return true;
    }

    /// <summary>The writer is done with it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Record = null;
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
}
