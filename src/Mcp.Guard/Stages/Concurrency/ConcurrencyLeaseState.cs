namespace Mcp.Guard.Stages.Concurrency;

/// <summary>What became of a slot that was given to a call.</summary>
internal enum ConcurrencyLeaseState
{
    /// <summary>The call runs.</summary>
    Running,

    /// <summary>The caller gave it up; the server may still work on it.</summary>
    Abandoned,

    /// <summary>The slot is free.</summary>
    Released,
}
