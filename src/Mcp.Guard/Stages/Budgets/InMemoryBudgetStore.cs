using System.Collections.Concurrent;

namespace Mcp.Guard.Stages.Budgets;

/// <summary>
/// The default <see cref="IBudgetStore"/>: counts in this process, in bounded memory. A count of a window leaves when the window is over, a count of a whole
/// session when the session was not used for a day. Where every count is in use, a new one is refused with an exception, which denies: an old one never
/// starts again at zero to make room.
/// </summary>
internal sealed class InMemoryBudgetStore(TimeProvider time, int maxKeys = InMemoryBudgetStore.DefaultMaxKeys) : IBudgetStore
{
    /// <summary>The default cap on counts.</summary>
    public const int DefaultMaxKeys = 100_000;

    /// <summary>How long the count of a whole session is kept after its last use.</summary>
    public static readonly TimeSpan SessionIdle = TimeSpan.FromDays(1);

    private const int SweepLength = 4;

    private readonly ConcurrentDictionary<BudgetKey, Account> _accounts = new(BudgetKeyComparer.Instance);
    private readonly ConcurrentQueue<Account> _sweep = new();
    private readonly long _start = time.GetTimestamp();
    private int _keys;

    /// <summary>The number of counts.</summary>
    public int KeyCount => Volatile.Read(ref _keys);

    /// <inheritdoc/>
    public ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<long>(ct);
        }

        if (window != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, TimeSpan.Zero);
        }

        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        return new(Add(key, amount, window));
    }

    private long Add(BudgetKey key, long amount, TimeSpan window)
    {
        TimeSpan now = time.GetElapsedTime(_start);
        while (true)
        {
            if (_accounts.TryGetValue(key, out Account? account))
            {
                if (account.Add(now, amount, window) is { } sum)
                {
                    return sum;
                }

                // Removed in this moment.
                continue;
            }

            if (amount == 0)
            {
                return 0;
            }

            Sweep(now);
            if (Interlocked.Increment(ref _keys) > maxKeys)
            {
                Interlocked.Decrement(ref _keys);
                throw new InvalidOperationException($"all {maxKeys} budget counts are in use");
            }

            account = new Account(key);
            if (_accounts.TryAdd(key, account))
            {
                _sweep.Enqueue(account);
            }
            else
            {
                Interlocked.Decrement(ref _keys);
            }
        }
    }

    private void Sweep(TimeSpan now)
    {
        for (int i = 0; i < SweepLength && _sweep.TryDequeue(out Account? account); i++)
        {
            if (!account.TryRemoveIdle(now))
            {
                _sweep.Enqueue(account);
            }
            else if (_accounts.TryRemove(KeyValuePair.Create(account.Key, account)))
            {
                Interlocked.Decrement(ref _keys);
            }
        }
    }

    /// <summary>One count: amounts with their moments, the oldest first.</summary>
    private sealed class Account(BudgetKey key)
    {
        // Beyond so many moments the two oldest are taken together at the later one: the count can only be higher, and memory is bounded.
        private const int MaxMoments = 64;

        private readonly Lock _lock = new();
        private readonly List<(TimeSpan At, long Amount)> _moments = new(4);
        private TimeSpan _window = TimeSpan.Zero;

        // What is in the list together, so that an answer does not go through it.
        private long _sum;
        private TimeSpan _lastUse;
        private bool _fresh = true;
        private bool _removed;

        public BudgetKey Key { get; } = key;

        public long? Add(TimeSpan now, long amount, TimeSpan window)
        {
            lock (_lock)
            {
                if (_removed)
                {
                    return null;
                }

                _fresh = false;
                _lastUse = now;
                bool whole = window == Timeout.InfiniteTimeSpan;
                if (whole || window > _window)
                {
                    _window = whole ? TimeSpan.MaxValue : window;
                }

                Forget(now);
                if (amount > 0)
                {
                    if (_moments.Count > 0 && (_moments[^1].At == now || _window == TimeSpan.MaxValue))
                    {
                        _moments[^1] = (now, Sum(_moments[^1].Amount, amount));
                    }
                    else
                    {
                        _moments.Add((now, amount));
                    }

                    if (_moments.Count > MaxMoments)
                    {
                        _moments[1] = (_moments[1].At, Sum(_moments[0].Amount, _moments[1].Amount));
                        _moments.RemoveAt(0);
                    }

                    _sum = Sum(_sum, amount);
                }

                // All of them lie within the longest window that was asked for.
                return whole || window == _window ? _sum : SumSince(now, window);
            }
        }

        public bool TryRemoveIdle(TimeSpan now)
        {
            lock (_lock)
            {
                Forget(now);
                _removed = !_fresh && (_window == TimeSpan.MaxValue ? now - _lastUse >= SessionIdle : _moments.Count == 0);
                return _removed;
            }
        }

        private void Forget(TimeSpan now)
        {
            if (_window == TimeSpan.MaxValue)
            {
                return;
            }

            // The oldest stand first.
            int old = 0;
            while (old < _moments.Count && now - _moments[old].At >= _window)
            {
                old++;
            }

            if (old > 0)
            {
                _moments.RemoveRange(0, old);
                _sum = SumSince(now, _window);
            }
        }

        private long SumSince(TimeSpan now, TimeSpan window)
        {
            long sum = 0;
            foreach ((TimeSpan at, long one) in _moments)
            {
                sum = now - at < window ? Sum(sum, one) : sum;
            }

            return sum;
        }

        private static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
    }
}
