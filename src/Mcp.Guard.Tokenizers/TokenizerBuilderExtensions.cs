namespace Mcp.Guard;

/// <summary>Adds exact token counts to the guard.</summary>
public static class TokenizerBuilderExtensions
{
    /// <summary>Counts prompts exactly, in place of the built-in upper bound. The vocabulary is loaded when the guard starts.</summary>
    /// <param name="builder">The guard's builder.</param>
    /// <param name="encoding"><c>o200k_base</c> or <c>cl100k_base</c>.</param>
    /// <exception cref="ArgumentException">Another vocabulary is named.</exception>
    public static McpGuardBuilder UseTokenizer(this McpGuardBuilder builder, string encoding)
    {
        ArgumentNullException.ThrowIfNull(builder);
        TiktokenCounter.ThrowIfUnknown(encoding);
        return builder.UseTokenCounter(_ => new TiktokenCounter(encoding));
    }
}
