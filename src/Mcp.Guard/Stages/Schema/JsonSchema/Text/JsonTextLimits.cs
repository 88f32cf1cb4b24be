namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What a JSON text may cost: bytes, nesting, tokens. Numbers are always held to 1,000 digits and an exponent of 10,000.</summary>
internal readonly record struct JsonTextLimits(int MaxBytes, int MaxDepth, int MaxTokens)
{
    public const int MaxNumberDigits = 1_000;
    public const int MaxNumberExponent = 10_000;
}
