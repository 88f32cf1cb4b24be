namespace Mcp.Guard.Json;

/// <summary>How large a JSON text may be to be admitted. The default value admits nothing.</summary>
/// <param name="MaxBytes">Longest text, in UTF-8 bytes.</param>
/// <param name="MaxDepth">Deepest nesting of arrays and objects; a scalar has depth 0, <c>{}</c> has depth 1.</param>
/// <param name="MaxValues">Most values, containers included.</param>
internal readonly record struct JsonLimits(int MaxBytes, int MaxDepth, int MaxValues)
{
    /// <summary>
    /// Limits for the parameters of a message: 4 MiB, depth 64 (what System.Text.Json and the MCP SDK read by default) and 100,000 values.
    /// </summary>
    public static JsonLimits Message { get; } = new(4 * 1024 * 1024, 64, 100_000);

    /// <summary>
    /// No depth above this is ever accepted, whatever <see cref="MaxDepth"/> says: the writer of the canonical form recurses once a level.
    /// </summary>
    public const int DepthCeiling = 256;
}
