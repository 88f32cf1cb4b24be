namespace Mcp.Guard.Audit;

/// <summary>
/// Gives every record to several sinks. A record counts as written when every required sink has taken it, each within the time limit; the others get it
/// afterwards through queues of their own, and may fail.
/// </summary>
internal sealed class FanOutAuditSink : IAuditSink, IAsyncDisposable
{
    private readonly AuditFanOutEntry[] _required;
    private readonly OptionalAuditSink[] _optional;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private string? _failure;

    /// <param name="sinks">At least one must be required, unless the host chose best effort.</param>
    /// <param name="bestEffort">True where the host said that calls may be made without a record.</param>
    /// <param name="timeout">How long a required sink may take for a record.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ArgumentException">No sink is required.</exception>
    public FanOutAuditSink(IReadOnlyList<AuditFanOutEntry> sinks, bool bestEffort, TimeSpan timeout, TimeProvider time)
    {
        _required = [.. sinks.Where(static entry => entry.IsRequired)];
        if (_required.Length == 0 && !bestEffort)
        {
            throw new ArgumentException("no audit sink is required; mark one as required, or choose bestEffort", nameof(sinks));
        }

        _timeout = timeout;
        _time = time;
        _optional = [.. sinks.Where(static entry => !entry.IsRequired).Select(entry => new OptionalAuditSink(entry.Name, entry.Sink, time))];
    }

    /// <summary>For each optional sink, how many records it did not take.</summary>
    public IReadOnlyList<(string Name, long Lost)> Losses => [.. _optional.Select(static sink => (sink.Name, sink.Lost))];

    /// <summary>What a required sink answered last, where it did not take the record; null where it took the newest. The files tell more in their own health.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    public ValueTask WriteAsync(AuditRecord record, CancellationToken ct)
    {
        // One required sink, which bounds its own time, is the rule: no state machine and no timer then.
        if (_required.Length == 1 && _required[0].Sink is AuditFileSink)
        {
            ValueTask write = _required[0].Sink.WriteAsync(record, ct);
            OfferAll(record);
            return write;
        }

        return WriteAllAsync(record, ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (OptionalAuditSink sink in _optional)
        {
            await sink.DisposeAsync();
        }
    }

    private async ValueTask WriteAllAsync(AuditRecord record, CancellationToken ct)
    {
        OfferAll(record);
        foreach (AuditFanOutEntry entry in _required)
        {
            try
            {
                ValueTask write = entry.Sink.WriteAsync(record, ct);
                if (write.IsCompletedSuccessfully)
                {
                    write.GetAwaiter().GetResult();
                }
                else
                {
                    await write.AsTask().WaitAsync(_timeout, _time, ct).ConfigureAwait(false);
                }

                Volatile.Write(ref _failure, null);
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                Volatile.Write(ref _failure, $"the audit sink '{entry.Name}' did not take a record ({fault.GetType().Name})");
                throw new AuditUnavailableException($"the audit sink '{entry.Name}' did not take the record: {fault.Message}", fault);
            }
        }
    }

    private void OfferAll(AuditRecord record)
    {
        foreach (OptionalAuditSink sink in _optional)
        {
            sink.Offer(record);
        }
    }
}
