namespace Mcp.Guard.Pipeline;

/// <summary>Counts the running calls of one server or caller, up to a limit.</summary>
internal sealed class ConcurrencyCounter
{
    private int _running;

    public int Running => Volatile.Read(ref _running);

    public bool TryEnter(int limit)
    {
        if (Interlocked.Increment(ref _running) <= limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _running);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _running);
}
