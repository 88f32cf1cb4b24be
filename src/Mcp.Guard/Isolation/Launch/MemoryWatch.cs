using System.Globalization;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// Holds a box to its memory limit where no cgroup does: looks at intervals what all its processes hold together, and says when it has to end. The nearer the
/// limit, the shorter the interval. What a box takes between two looks is not held back.
/// </summary>
internal sealed class MemoryWatch : IDisposable
{
    /// <summary>The time between two looks near the limit.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);

    /// <summary>The time between two looks far from it.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    // A number that is over the limit is looked at twice: processes that follow one another may both be counted in one look.
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(10);

    /// <summary>How fast a box is taken to fill memory, in bytes a second: decides when to look again.</summary>
    private const double Filling = 2.0 * (1L << 30);

    /// <summary>Looks in a row that may find nothing of a box that runs.</summary>
    private const int MostBlind = 5;

    /// <summary>The share of the time that looking may take: one part in five, as long as the longest interval is kept: a box can make looking slow.</summary>
    private const int Rest = 4;

    private readonly long _limit;
    private readonly Func<long, BoxReading> _read;
    private readonly Action<string> _end;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    /// <param name="limit">Bytes.</param>
    /// <param name="read">Looks once.</param>
    /// <param name="end">Told once, on the watch's own thread, why the box ends; ends it.</param>
    public MemoryWatch(long limit, Func<long, BoxReading> read, Action<string> end)
    {
        _limit = limit;
        _read = read;
        _end = end;

        // Real time on a thread of its own: neither a busy thread pool nor a server that makes it busy may put the next look off.
        _thread = new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "mcp-guard memory watch" };
    }

    /// <summary>Set when nothing is looked at any more.</summary>
    internal ManualResetEventSlim Ended { get; } = new();

    public void Start() => _thread.Start();

    /// <summary>Ends the looking. Does not wait for a look that runs.</summary>
    public void Dispose() => _stop.Set();

    /// <summary>When to look again after a look.</summary>
    /// <param name="limit">The limit, in bytes.</param>
    /// <param name="bytes">What was seen.</param>
    /// <param name="took">How long the look took.</param>
    public static TimeSpan Next(long limit, long bytes, TimeSpan took)
    {
        var headroom = TimeSpan.FromSeconds(Math.Max(0, limit - bytes) / Filling);
        TimeSpan next = headroom < Shortest ? Shortest : headroom > Longest ? Longest : headroom;
        TimeSpan rest = took * Rest;
        return rest <= next ? next : rest < Longest ? rest : Longest;
    }

    private void Run()
    {
        try
        {
            Look();
        }
        catch (Exception)
        {
            // What ends the box has ended it before this comes out; on a thread without a caller it would end the host too.
        }
        finally
        {
            Ended.Set();
        }
    }

    private void Look()
    {
        int blind = 0;
        int over = 0;
        TimeSpan wait = TimeSpan.Zero;
        while (!_stop.Wait(wait))
        {
            long began = TimeProvider.System.GetTimestamp();
            BoxReading reading;
            try
            {
                reading = _read(_limit);
            }
            catch (Exception fault)
            {
                // Fails closed: a box that nobody watches is not what the policy asked for.
                _end($"its memory could not be looked at ({fault.GetType().Name})");
                return;
            }

            blind = reading.Seen ? 0 : blind + 1;
            over = reading.Bytes > _limit ? over + 1 : 0;
            if (over == 2 || blind == MostBlind)
            {
                // It may have ended by itself meanwhile.
                if (!_stop.IsSet)
                {
                    _end(over == 2
                        ? string.Create(CultureInfo.InvariantCulture, $"its {reading.Processes} processes hold {reading.Bytes} bytes of memory together, over its limit of {_limit}")
                        : "its processes cannot be seen in /proc, so that its memory cannot be held");
                }

                return;
            }

            wait = over > 0 ? s_again : Next(_limit, reading.Bytes, TimeProvider.System.GetElapsedTime(began));
        }
    }
}
