namespace Mcp.Guard.Hosting;

/// <summary>How many messages of a server one connection refused, by reason. Read by tests, health and the audit.</summary>
internal sealed class RefusalCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<RefusalReason>().Length];

    public long this[RefusalReason reason] => Interlocked.Read(ref _counts[(int)reason]);

    public long Total
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < _counts.Length; i++)
            {
                sum += Interlocked.Read(ref _counts[i]);
            }

            return sum;
        }
    }

    public long Add(RefusalReason reason) => Interlocked.Increment(ref _counts[(int)reason]);
}
