namespace Mcp.Guard.Policy;

/// <summary>Whether and how a server may ask the host's model.</summary>
internal sealed record SamplingSettings
{
    /// <summary>Default false.</summary>
    public bool Allowed { get; init; }

    /// <summary>Tokens of messages and system prompt; null is the prompt limit.</summary>
    public int? MaxPromptTokens { get; init; }

    /// <summary>Tokens that it may ask for. Default 1024.</summary>
    public int MaxTokens { get; init; } = 1024;

    /// <summary>Calls inside sampling inside calls. Default 1.</summary>
    public int MaxDepth { get; init; } = 1;

    /// <summary>Whether a person is asked each time. Default true.</summary>
    public bool Confirm { get; init; } = true;

    /// <summary>Whether the host's context may be included. Default false.</summary>
    public bool AllowContext { get; init; }

    /// <summary>Null is the server's rate limit.</summary>
    public RateLimitSetting? RateLimit { get; init; }
}
