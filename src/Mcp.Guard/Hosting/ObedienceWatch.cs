using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Watches a server that the guard launched, after it was told to give up a call whose time was over or that a stop covers, and says when its processes
/// end. The rule stands in docs/limits.md: a server that obeys a cancellation sends no reply, so silence about the call proves nothing. What can be seen is
/// whether it answers anything, whether it goes on reporting progress of the call, and whether such calls hold every slot.
/// </summary>
internal sealed class ObedienceWatch : IDisposable
{
    /// <summary>How long a server has to obey.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Progress tokens of abandoned calls that are remembered; the oldest leaves.</summary>
    private const int MaxTokens = 1024;

    private readonly TimeProvider _time;
    private readonly Func<RequestId, Task> _probe;
    private readonly Func<bool> _isBlocked;
    private readonly Action<string> _end;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _tokens = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly ITimer _timer;
    private RequestId? _probeId;
    private OpenCall[] _before = [];
    private OpenCall[] _againBefore = [];
    private bool _alive;
    private bool _again;
    private bool _ended;

    /// <param name="time">The clock.</param>
    /// <param name="probe">Sends a request that every server answers, if only with an error, under the given id. A failure to send is no answer.</param>
    /// <param name="isBlocked">Whether abandoned calls hold every slot of the server.</param>
    /// <param name="end">Told once why the server must end; must not block.</param>
    public ObedienceWatch(TimeProvider time, Func<RequestId, Task> probe, Func<bool> isBlocked, Action<string> end)
    {
        _time = time;
        _probe = probe;
        _isBlocked = isBlocked;
        _end = end;
        _timer = time.CreateTimer(static watch => ((ObedienceWatch)watch!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The server was told to give up a call.</summary>
    /// <param name="progressToken">The call's progress token, where it has one.</param>
    /// <param name="before">The calls that run, each within its own time: one of them may rightly keep a server busy that does one thing at a time.</param>
    public void GaveUp(string? progressToken, OpenCall[] before)
    {
        RequestId id;
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            if (progressToken is not null && _tokens.TryAdd(progressToken, _time.GetTimestamp()))
            {
                _order.Enqueue(progressToken);
                if (_order.Count > MaxTokens)
                {
                    _tokens.Remove(_order.Dequeue());
                }
            }

            if (_probeId is not null)
            {
                _again = true;
                _againBefore = before;
                return;
            }

            id = Begin(before);
        }

        _ = SendAsync(id);
    }

    /// <summary>The server answered something that it was asked.</summary>
    /// <returns>True where it was the guard's own probe, which nobody else waits for.</returns>
    public bool OnReply(RequestId id)
    {
        lock (_gate)
        {
            if (_probeId is not { } probe)
            {
                return false;
            }

            bool mine = probe.Equals(id);
            _alive |= mine;
            return mine;
        }
    }

    /// <summary>The server answered a call of the client: it is alive.</summary>
    public void OnLife()
    {
        lock (_gate)
        {
            _alive = true;
        }
    }

    /// <summary>The server reported progress under a token that belongs to no running call.</summary>
    public void OnProgress(string token)
    {
        lock (_gate)
        {
            if (_ended || !_tokens.TryGetValue(token, out long since) || _time.GetElapsedTime(since) < Grace)
            {
                return;
            }

            _ended = true;
        }

        _end("it reported progress of a call that it had been told to give up");
    }

    /// <summary>A late reply: the call has ended at the server, so nothing under its token is expected any more.</summary>
    public void Forget(string? progressToken)
    {
        if (progressToken is not null)
        {
            lock (_gate)
            {
                _tokens.Remove(progressToken);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
        }

        _timer.Dispose();
    }

    private RequestId Begin(OpenCall[] before)
    {
        var id = new RequestId($"guard-{Guid.NewGuid():N}");
        _probeId = id;
        _before = before;
        _alive = false;
        _again = false;
        _againBefore = [];
        _timer.Change(Grace, Timeout.InfiniteTimeSpan);
        return id;
    }

    private async Task SendAsync(RequestId id)
    {
        await Task.Yield();
        await _probe(id).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Tick()
    {
        string? why = null;
        RequestId? next = null;
        lock (_gate)
        {
            if (_ended || _probeId is null)
            {
                return;
            }

            if (!_alive)
            {
                if (Array.Exists(_before, static call => call.IsForwarded))
                {
                    _timer.Change(Grace, Timeout.InfiniteTimeSpan);
                    return;
                }

                why = "it answered nothing after it had been told to give up a call";
            }
            else
            {
                _probeId = null;
                _before = [];
                if (_again)
                {
                    next = Begin(_againBefore);
                }
            }
        }

        if (why is null && _isBlocked())
        {
            why = "calls that it had been told to give up hold every slot";
        }

        if (why is null)
        {
            if (next is { } id)
            {
                _ = SendAsync(id);
            }

            return;
        }

        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _ended = true;
        }

        _end(why);
    }
}
