namespace Mcp.Guard.Stages.Consent;

/// <summary>How people are asked. Nothing here makes silence mean yes.</summary>
internal sealed record ConsentOptions
{
    /// <summary>The longest time a grant may be given for.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(30);

    /// <summary>How long an answer is waited for: more than zero, at most one hour; 2 minutes by default.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long identical calls are gathered before the prompt is shown; 50 ms by default, so that the parallel calls of one model turn make one prompt.</summary>
    public TimeSpan MergeWindow { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest time a "session" answer holds; 12 hours by default.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>Prompts that one server may cause for one user in <see cref="PromptPeriod"/>; 20 by default.</summary>
    public int PromptsPerPeriod { get; init; } = 20;

    /// <summary>The period of <see cref="PromptsPerPeriod"/>; 1 minute by default.</summary>
    public TimeSpan PromptPeriod { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most prompts that are open at the same time; 64 by default.</summary>
    public int MaxOpenPrompts { get; init; } = 64;

    /// <summary>Most prompts that are open at the same time for one user; 8 by default.</summary>
    public int MaxOpenPromptsPerUser { get; init; } = 8;

    /// <summary>Most identical calls that wait for one prompt; 64 by default.</summary>
    public int MaxMergedCalls { get; init; } = 64;

    /// <summary>Most prompts whose provider has not come back after its time; 16 by default. With more, nobody is asked until one returns.</summary>
    public int MaxAbandonedPrompts { get; init; } = 16;

    /// <summary>How long the consent store may take; 2 seconds by default. A store that is slower counts as failed.</summary>
    public TimeSpan StoreTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest intent that is shown, in characters; 600 by default.</summary>
    public int MaxIntentLength { get; init; } = 600;

    /// <summary>Throws where a value makes no sense, naming it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(AnswerTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(AnswerTimeout, TimeSpan.FromHours(1));
        ArgumentOutOfRangeException.ThrowIfLessThan(MergeWindow, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MergeWindow, TimeSpan.FromSeconds(5));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(SessionLifetime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SessionLifetime, MaxLifetime);
        ArgumentOutOfRangeException.ThrowIfLessThan(PromptsPerPeriod, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(PromptPeriod, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOpenPrompts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOpenPromptsPerUser, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMergedCalls, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAbandonedPrompts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StoreTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxIntentLength, 1);
    }
}
