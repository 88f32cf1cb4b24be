namespace Mcp.Guard.Policy;

/// <summary>Whether and how a server may ask the user.</summary>
internal sealed record ElicitationSettings
{
    /// <summary>Default false.</summary>
    public bool Allowed { get; init; }

    /// <summary>Whether forms may be shown, where allowed. Default true.</summary>
    public bool Form { get; init; } = true;

    /// <summary>Whether URLs may be shown, where allowed. Default false.</summary>
    public bool Url { get; init; }

    /// <summary>URL patterns that an address must match to be shown. Default none.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Fields of a form. Default 20.</summary>
    public int MaxFields { get; init; } = 20;

    /// <summary>Null is the server's rate limit.</summary>
    public RateLimitSetting? RateLimit { get; init; }
}
