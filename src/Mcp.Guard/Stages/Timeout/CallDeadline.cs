namespace Mcp.Guard.Stages.Timeouts;

/// <summary>
/// The deadline of one call, on the monotonic clock: a time in all, which progress may extend up to a cap where the rule says so. Time in which a person is
/// asked does not count against the tool, up to a cap of its own.
/// </summary>
internal sealed class CallDeadline : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly CallTimeLimits _limits;
    private readonly Action<object?> _onExpired;
    private readonly object? _state;
    private readonly ITimer _timer;
    private readonly long _start;
    private TimeSpan _due;
    private TimeSpan _paused;
    private TimeSpan _pausedAt;
    private int _pauses;
    private bool _ended;
    private bool _isExpired;

    /// <summary>Starts the time: make it when the call is forwarded.</summary>
    /// <param name="limits">How long it may take.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onExpired">
    /// Called once at the deadline: to send the cancellation, answer the caller with <see cref="GuardDenialCodes.Timeout"/> and drop a late result. May come
    /// at the moment in which the call ends.
    /// </param>
    /// <param name="state">What it is given.</param>
    public CallDeadline(CallTimeLimits limits, TimeProvider time, Action<object?> onExpired, object? state)
    {
        _limits = limits;
        _time = time;
        _onExpired = onExpired;
        _state = state;
        _start = time.GetTimestamp();
        _due = limits.Total;
        lock (_lock)
        {
            // Under the lock, so that a tick that comes at once finds the timer.
            _timer = time.CreateTimer(static state => ((CallDeadline)state!).Tick(), this, WholeMilliseconds(_due), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Whether the deadline has passed while the call ran.</summary>
    public bool IsExpired => Volatile.Read(ref _isExpired);

    /// <summary>Time that the tool used so far, without the time in which a person was asked.</summary>
    public TimeSpan Used
    {
        get
        {
            lock (_lock)
            {
                return UsedNow();
            }
        }
    }

    /// <summary>A progress notification of this call arrived.</summary>
    public void OnProgress()
    {
        lock (_lock)
        {
            if (_ended || _limits.PerProgress is not { } grant)
            {
                return;
            }

            TimeSpan used = UsedNow();
            TimeSpan cap = _limits.ProgressCap > _limits.Total ? _limits.ProgressCap : _limits.Total;
            TimeSpan due = grant < cap - used ? used + grant : cap;
            if (due > _due)
            {
                _due = due;
            }
        }
    }

    /// <summary>Stops the time while a person is asked on behalf of this call; dispose the answer to go on. Pauses may overlap.</summary>
    public IDisposable Pause()
    {
        lock (_lock)
        {
            if (_pauses++ == 0)
            {
                _pausedAt = _time.GetElapsedTime(_start);
            }
        }

        return new PauseEnd(this);
    }

    /// <summary>The call ended in time.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
        }

        _timer.Dispose();
    }

    private void Resume()
    {
        lock (_lock)
        {
            if (--_pauses == 0)
            {
                _paused += _time.GetElapsedTime(_start) - _pausedAt;
                if (!_ended)
                {
                    Arm();
                }
            }
        }
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_ended)
            {
                return;
            }

            if (UsedNow() < _due)
            {
                // Extended or paused since the timer was set.
                Arm();
                return;
            }

            _ended = true;
            _isExpired = true;
        }

        // Outside the lock: it may come back here.
        try
        {
            _onExpired(_state);
        }
        catch (Exception)
        {
            // Its owner's fault, which on a timer's thread would end the process.
        }
    }

    private void Arm()
    {
        TimeSpan left = _due - UsedNow() + (_pauses > 0 ? _limits.MaxPaused - PausedNow() : TimeSpan.Zero);
        _timer.Change(WholeMilliseconds(left), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Timers count in milliseconds and may be early by less than one: rounded up, so that a tick finds the deadline passed.</summary>
    private static TimeSpan WholeMilliseconds(TimeSpan left) => TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(left.TotalMilliseconds), 0, uint.MaxValue - 1));

    private TimeSpan UsedNow() => _time.GetElapsedTime(_start) - PausedNow();

    /// <summary>What does not count so far, never more than the limit: a pause that does not end cannot hold a call open.</summary>
    private TimeSpan PausedNow()
    {
        TimeSpan paused = _paused + (_pauses > 0 ? _time.GetElapsedTime(_start) - _pausedAt : TimeSpan.Zero);
        return paused < _limits.MaxPaused ? paused : _limits.MaxPaused;
    }

    private sealed class PauseEnd(CallDeadline deadline) : IDisposable
    {
        private CallDeadline? _deadline = deadline;

        public void Dispose() => Interlocked.Exchange(ref _deadline, null)?.Resume();
    }
}
