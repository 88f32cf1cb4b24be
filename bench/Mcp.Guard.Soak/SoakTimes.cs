namespace Mcp.Guard.Soak;

/// <summary>How long calls took since the last look; of very many a random part.</summary>
internal sealed class SoakTimes
{
    private const int MaxKept = 20_000;

    private readonly Lock _gate = new();
    private List<double> _times = new(MaxKept);
    private long _count;

    public void Add(double milliseconds)
    {
        lock (_gate)
        {
            _count++;
            if (_times.Count < MaxKept)
            {
                _times.Add(milliseconds);
            }
        }
    }

    /// <summary>Count, median and 99th percentile, and begins anew.</summary>
    public (long Count, double Median, double Worst) Take()
    {
        List<double> times;
        long count;
        lock (_gate)
        {
            (times, _times) = (_times, new(MaxKept));
            (count, _count) = (_count, 0);
        }

        times.Sort();
        return times.Count == 0 ? (0, 0, 0) : (count, times[times.Count / 2], times[(int)(0.99 * (times.Count - 1))]);
    }
}
