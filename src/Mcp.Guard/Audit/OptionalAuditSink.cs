using System.Threading.Channels;

namespace Mcp.Guard.Audit;

/// <summary>
/// Keeps a sink that may fail away from the calls: records wait in a short queue, and the newest is lost and counted when it is full. The sink gets them
/// one after the other, in order, each with a time limit.
/// </summary>
internal sealed class OptionalAuditSink : IAsyncDisposable
{
    private const int Capacity = 4_096;
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private readonly IAuditSink _sink;
    private readonly TimeProvider _time;
    private readonly Channel<AuditRecord> _queue = Channel.CreateBounded<AuditRecord>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly CancellationTokenSource _cancel = new();
    private readonly Task _pump;
    private long _lost;

    public OptionalAuditSink(string name, IAuditSink sink, TimeProvider time)
    {
        Name = name;
        _sink = sink;
        _time = time;
        _pump = Task.Run(PumpAsync);
    }

    public string Name { get; }

    /// <summary>Records that the sink did not take: it failed, or its queue was full.</summary>
    public long Lost => Volatile.Read(ref _lost);

    public void Offer(AuditRecord record)
    {
        if (!_queue.Writer.TryWrite(record))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        try
        {
            await _pump.WaitAsync(CloseTimeout, _time);
        }
        catch (TimeoutException)
        {
            await _cancel.CancelAsync();
            return;
        }

        _cancel.Dispose();
    }

    private async Task PumpAsync()
    {
        await foreach (AuditRecord record in _queue.Reader.ReadAllAsync())
        {
            if (_cancel.IsCancellationRequested)
            {
                Interlocked.Increment(ref _lost);
                continue;
            }

            try
            {
                ValueTask write = _sink.WriteAsync(record, _cancel.Token);
                if (!write.IsCompletedSuccessfully)
                {
                    await write.AsTask().WaitAsync(WriteTimeout, _time, _cancel.Token);
                }
                else
                {
                    write.GetAwaiter().GetResult();
                }
            }
            catch (Exception)
            {
                // The failure of an optional sink is a number in the health, and nothing else.
                Interlocked.Increment(ref _lost);
            }
        }
    }
}
