namespace Mcp.Guard.Hosting;

/// <summary>Keeps the order of notifications without making the read loop wait: judged at once where nothing waits, queued behind a slow one otherwise.</summary>
internal sealed class NotificationQueue
{
    private const int Capacity = 1024;

    private readonly Lock _gate = new();
    private Task _tail = Task.CompletedTask;
    private int _waiting;

    /// <summary>Ends when all work so far is done.</summary>
    public Task Drained
    {
        get
        {
            lock (_gate)
            {
                return _tail;
            }
        }
    }

    /// <summary>Runs the work after all work before it; false where too much waits.</summary>
    public bool TryRun(Func<Task> work)
    {
        lock (_gate)
        {
            if (_tail.IsCompleted)
            {
                _tail = work();
                return true;
            }

            if (_waiting >= Capacity)
            {
                return false;
            }

            _waiting++;
            _tail = AfterAsync(_tail, work);
            return true;
        }
    }

    private async Task AfterAsync(Task before, Func<Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Interlocked.Decrement(ref _waiting);
        await work().ConfigureAwait(false);
    }
}
