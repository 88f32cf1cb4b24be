namespace Mcp.Guard.Stages.Consent;

/// <summary>
/// How many prompts one server may cause for one user: a burst, refilled evenly. It holds no more cells than its cap; where all are in use,
/// nobody new is asked. The caller holds a lock.
/// </summary>
internal sealed class PromptLimiter(int permits, TimeSpan period, TimeProvider time)
{
    private const int MaxCells = 10_000;

    private readonly Dictionary<(string Server, string User), long> _fullAt = [];
    private readonly long _cost = Math.Max(1, (long)(period.TotalSeconds / permits * time.TimestampFrequency));

    /// <summary>Takes one permit; otherwise says how long to wait.</summary>
    public bool TryTake(string server, string user, out TimeSpan retryAfter)
    {
        long now = time.GetTimestamp();
        long burst = _cost * permits;
        if (!_fullAt.TryGetValue((server, user), out long fullAt) && _fullAt.Count >= MaxCells && !Sweep(now))
        {
            retryAfter = period;
            return false;
        }

        // The cell is full again at this time; each prompt puts it off by its cost (GCRA).
        long next = Math.Max(fullAt, now) + _cost;
        if (next - now > burst)
        {
            retryAfter = TimeSpan.FromSeconds((double)(next - now - burst) / time.TimestampFrequency);
            return false;
        }

        _fullAt[(server, user)] = next;
        retryAfter = TimeSpan.Zero;
        return true;
    }

    private bool Sweep(long now)
    {
        foreach ((var key, long fullAt) in _fullAt)
        {
            if (fullAt <= now)
            {
                _fullAt.Remove(key);
            }
        }

        return _fullAt.Count < MaxCells;
    }
}
