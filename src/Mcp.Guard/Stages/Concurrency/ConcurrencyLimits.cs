namespace Mcp.Guard.Stages.Concurrency;

/// <summary>How many calls may run and wait at the same time.</summary>
internal sealed record ConcurrencyLimits
{
    /// <summary>The recommended limits.</summary>
    public static readonly ConcurrencyLimits Default = new();

    /// <summary>Calls that run at one server at the same time; 8 by default, 1 or more.</summary>
    public int PerServer { get; init; } = 8;

    /// <summary>Calls that run for one caller at the same time, over all servers; 8 by default, 1 or more.</summary>
    public int PerCaller { get; init; } = 8;

    /// <summary>Calls that wait for one server; 32 by default, 0 or more. Full means that a call is denied at once.</summary>
    public int QueuePerServer { get; init; } = 32;

    /// <summary>Of these, calls of one caller, so that one caller cannot fill a queue; 8 by default.</summary>
    public int QueuePerCaller { get; init; } = 8;

    /// <summary>The longest wait for a slot; 10 s by default.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an abandoned call keeps its slot where neither a late reply nor the end of the connection frees it before; 1 minute by default.</summary>
    public TimeSpan AbandonedHold { get; init; } = TimeSpan.FromMinutes(1);
}
