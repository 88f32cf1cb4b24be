namespace Mcp.Guard.Pipeline;

/// <summary>
/// A thread that takes messages one after another, and does itself what a message leaves to be done when its handling begins to wait: the append of its record, and
/// with that whatever waited for it. Handing such work to the pool wakes a thread, and on the way of a small call waking is what costs most.
/// </summary>
/// <remarks>
/// No device and no reader of a pipe can hold the messages up: where what a message left does not come back within <see cref="Patience"/>, another thread takes the
/// next message, and this one ends when it comes back. A handler that begins to wait goes on as it would with the pool, whether this thread comes back or not.
/// </remarks>
internal sealed class MessageThread : IDisposable
{
    /// <summary>How long, at least, a message may keep its thread; at most twice as long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    [ThreadStatic]
    private static Turn? t_turn;

    private readonly Func<bool> _takeNext;
    private readonly string _name;
    private readonly ITimer _watch;
    private readonly Lock _looking = new();
    private Turn _turn = new();
    private Turn? _seenTurn;
    private long _seen;
    private int _isWatching;

    /// <param name="name">Of the threads, for a debugger.</param>
    /// <param name="takeNext">
    /// Waits for a message and handles it; false where no more come. Must not throw. It is never called by two threads at the same time, unless it called
    /// <see cref="MayBeRelieved"/>: after that it touches nothing that the next call of it does.
    /// </param>
    /// <param name="time">The clock.</param>
    public MessageThread(string name, Func<bool> takeNext, TimeProvider time)
    {
        _name = name;
        _takeNext = takeNext;
        _watch = time.CreateTimer(static thread => ((MessageThread)thread!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts, with no ambient context: nothing of whoever connected may reach another's handlers.</summary>
    public void Start() => Start(_turn);

    /// <summary>
    /// Leaves work to the thread that calls this, for when its message begins to wait. False where it is no such thread, or has work already: the pool has to do it.
    /// </summary>
    public static bool TryLeave(IThreadPoolWorkItem work)
    {
        if (t_turn is not { } turn || Volatile.Read(ref turn.State) == Turn.Relieved || Interlocked.CompareExchange(ref turn.Left, work, null) is not null)
        {
            return false;
        }

        // Relieved in this moment: whoever did it may have looked for work before there was any.
        return Volatile.Read(ref turn.State) != Turn.Relieved || Interlocked.CompareExchange(ref turn.Left, null, work) != work;
    }

    /// <summary>From here on, until the next message, another thread may go on with the messages.</summary>
    public void MayBeRelieved()
    {
        if (t_turn is { } turn && (Volatile.Read(ref turn.State) & 1) == 0)
        {
            Interlocked.Increment(ref turn.State);
            if (Interlocked.Exchange(ref _isWatching, 1) == 0)
            {
                Change(Patience);
            }
        }
    }

    public void Dispose() => _watch.Dispose();

    private void Start(Turn turn) => new Thread(() => Run(turn)) { IsBackground = true, Name = _name }.UnsafeStart();

    private void Run(Turn turn)
    {
        t_turn = turn;
        bool more;
        do
        {
            more = _takeNext();
            while (Interlocked.Exchange(ref turn.Left, null) is { } left)
            {
                MayBeRelieved();
                left.Execute();
            }
        }
        while (turn.TryKeep() && more);
    }

    /// <summary>Comes round while messages are handled: relieves a thread that is where it was the last time.</summary>
    private void Look()
    {
        lock (_looking)
        {
            Turn turn = _turn;
            long state = Volatile.Read(ref turn.State);
            bool isSame = ReferenceEquals(turn, _seenTurn) && state == _seen;
            _seenTurn = turn;
            _seen = state;
            if (!isSame)
            {
                return;
            }

            if ((state & 1) == 0)
            {
                // Nothing came for a whole round. In this order: who comes now either sees that nobody watches, or is seen.
                Change(Timeout.InfiniteTimeSpan);
                Interlocked.Exchange(ref _isWatching, 0);
                if (Volatile.Read(ref turn.State) != state && Interlocked.Exchange(ref _isWatching, 1) == 0)
                {
                    Change(Patience);
                }
            }
            else if (Interlocked.CompareExchange(ref turn.State, Turn.Relieved, state) == state)
            {
                _turn = new Turn();
                Start(_turn);
                if (Interlocked.Exchange(ref turn.Left, null) is { } left)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(left, preferLocal: false);
                }
            }
        }
    }

    private void Change(TimeSpan period)
    {
        try
        {
            _watch.Change(period, period);
        }
        catch (ObjectDisposedException)
        {
            // It ends; what runs is not watched any more.
        }
    }

    /// <summary>The time of one thread at the messages.</summary>
    private sealed class Turn
    {
        /// <summary>Odd, and no other thread can become this one's again.</summary>
        public const long Relieved = -1;

        /// <summary>Counts messages by two; odd while another thread may go on.</summary>
        public long State;

        public IThreadPoolWorkItem? Left;

        /// <summary>False where another thread goes on.</summary>
        public bool TryKeep()
        {
            long state = Volatile.Read(ref State);
            return state != Relieved && ((state & 1) == 0 || Interlocked.CompareExchange(ref State, state + 1, state) == state);
        }
    }
}
