namespace Mcp.Guard.Policy;

/// <summary>What holds where no rule says otherwise: of the document's <c>defaults</c>, or of one server where it sets its own.</summary>
internal sealed record PolicyDefaults
{
    /// <summary>The recommended settings: confirmation on, 3 calls a second and caller, 30 seconds a call, prompts of 2048 tokens.</summary>
    public static PolicyDefaults Recommended { get; } = new();

    /// <summary>Default destructive: and every tool counts as destructive unless the policy says otherwise.</summary>
    public ConfirmationMode Confirmation { get; init; } = ConfirmationMode.Destructive;

    /// <summary>Default 3 in a second for each caller.</summary>
    public RateLimitSetting RateLimit { get; init; } = new("default", 3, TimeSpan.FromSeconds(1), 3, RateLimitScope.Caller);

    /// <summary>From forwarding to reply. Default 30 seconds.</summary>
    public TimeSpan ToolTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a person may take. Default 2 minutes.</summary>
    public TimeSpan ConsentTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Tokens of a prompt or a sampling request. Default 2048.</summary>
    public int PromptMaxTokens { get; init; } = 2048;

    /// <summary>Whether a call without a caller is denied. Null leaves it to the kind of host: yes for gateways and web hosts.</summary>
    public bool? RequireCaller { get; init; }

    /// <summary>Whether credentials are taken out of arguments before anything is judged. Default false.</summary>
    public bool RedactArguments { get; init; }

    /// <summary>Calls of one server that run at the same time. Default 16.</summary>
    public int MaxConcurrentCalls { get; init; } = 16;

    /// <summary>Calls of one caller (a user in all sessions), over all servers, that run at the same time. Default 8.</summary>
    public int MaxConcurrentCallsPerCaller { get; init; } = 8;

    /// <summary>Calls that may wait for a place on one server. Default 64.</summary>
    public int MaxQueuedCalls { get; init; } = 64;

    public BudgetSettings Budgets { get; init; } = new();

    public ResultSettings Results { get; init; } = ResultSettings.Recommended;
}
