namespace Mcp.Guard.Stages.Timeouts;

/// <summary>How long one call may take.</summary>
internal sealed record CallTimeLimits
{
    /// <summary>The recommended limits: 30 s in all, progress changes nothing.</summary>
    public static readonly CallTimeLimits Default = new();

    /// <summary>The time in all, from the moment the call leaves; 30 s by default. A result that drips does not extend it.</summary>
    public TimeSpan Total { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time that a progress notification grants from its arrival; null (the default) where progress grants nothing.</summary>
    public TimeSpan? PerProgress { get; init; }

    /// <summary>The time in all that progress can extend a call to; 5 minutes by default.</summary>
    public TimeSpan ProgressCap { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The most time in all that does not count because a person was asked; 2 minutes by default. Beyond it the time goes on.</summary>
    public TimeSpan MaxPaused { get; init; } = TimeSpan.FromMinutes(2);
}
