namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>What a measured guard has to do with. The defaults are those of section 9 of the design.</summary>
internal sealed record CallScenarioOptions
{
    public AuditChoice Audit { get; init; } = AuditChoice.None;

    /// <summary>Rules of the server, at least 3: one that asks, one that allows, one that denies, and others for other tools.</summary>
    public int Rules { get; init; } = 10;

    /// <summary>Tools that the server lists, at least 3.</summary>
    public int Tools { get; init; } = 10;

    /// <summary>Characters of the longest argument, and of the text of the result.</summary>
    public int PayloadBytes { get; init; } = 120;

    /// <summary>True where denials come faster than they are recorded one by one, as under attack.</summary>
    public bool Floods { get; init; }

    /// <summary>Keys of the rate limiter; 0 is its default.</summary>
    public int RateKeys { get; init; }
}
