namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>How large a result may be. The same limits hold for server requests and notifications.</summary>
internal sealed record ResultLimits
{
    /// <summary>The recommended limits.</summary>
    public static readonly ResultLimits Default = new();

    /// <summary>The longest result, in bytes of its JSON text; 4 MiB by default.</summary>
    public long MaxBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The most values (array items and properties, at all depths together); 100,000 by default.</summary>
    public int MaxItems { get; init; } = 100_000;

    /// <summary>The deepest nesting of arrays and objects; 64 by default, which is also what the SDK's own reader takes.</summary>
    public int MaxDepth { get; init; } = 64;
}
