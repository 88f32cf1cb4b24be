namespace Mcp.Guard;

/// <summary>Counts what sessions spend. In memory by default; bounded.</summary>
public interface IBudgetStore
{
    /// <summary>Adds to a count and returns the sum of what was added within the window before now, this addition included.</summary>
    /// <param name="key">What is counted.</param>
    /// <param name="amount">What to add: 0 only reads.</param>
    /// <param name="window">How far back counts; <see cref="Timeout.InfiniteTimeSpan"/> for the whole session.</param>
    /// <param name="ct">Cancels the wait.</param>
    ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct);
}
