namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>The stops in force, read on every message without a lock.</summary>
internal sealed class HaltSwitch
{
    private readonly Lock _gate = new();
    private readonly List<Watch> _watches = [];
    private Halt[] _halts = [];

    /// <summary>The stops in force.</summary>
    public IReadOnlyList<Halt> Current => Volatile.Read(ref _halts);

    /// <summary>The stop that covers a message, or null.</summary>
    public Halt? Find(string server, string? tool, string userId)
    {
        foreach (Halt halt in Volatile.Read(ref _halts))
        {
            if (halt.Scope.Covers(server, tool, userId))
            {
                return halt;
            }
        }

        return null;
    }

    /// <summary>Puts a list in force and cancels every watch that one of its stops covers.</summary>
    public void Apply(IReadOnlyList<Halt> halts)
    {
        var covered = new List<Watch>();
        lock (_gate)
        {
            Volatile.Write(ref _halts, [.. halts]);
            for (int i = _watches.Count - 1; i >= 0; i--)
            {
                Watch watch = _watches[i];
                if (Find(watch.Server, watch.Tool, watch.UserId) is not null)
                {
                    _watches.RemoveAt(i);
                    covered.Add(watch);
                }
            }
        }

        foreach (Watch watch in covered)
        {
            watch.Cancel();
        }
    }

    /// <summary>A token that is cancelled when a stop covers the message; dispose the watch when the message has ended.</summary>
    public Watch Observe(string server, string? tool, string userId)
    {
        var watch = new Watch(this, server, tool, userId);
        lock (_gate)
        {
            if (Find(server, tool, userId) is null)
            {
                _watches.Add(watch);
                return watch;
            }
        }

        watch.Cancel();
        return watch;
    }

    /// <summary>One observed message.</summary>
    internal sealed class Watch(HaltSwitch owner, string server, string? tool, string userId) : IDisposable
    {
        private readonly CancellationTokenSource _source = new();

        public string Server => server;

        public string? Tool => tool;

        public string UserId => userId;

        public CancellationToken Token => _source.Token;

        /// <summary>Cancels at once; the callbacks run elsewhere, so that one that hangs or throws cannot keep the stop from other calls.</summary>
        public void Cancel() => _ = _source.CancelAsync().ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._watches.Remove(this);
            }
        }
    }
}
