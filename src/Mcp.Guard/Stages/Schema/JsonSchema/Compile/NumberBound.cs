namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>One bound: exact, and as a long where it is whole and small.</summary>
internal sealed class NumberBound
{
    private readonly JsonNumber _exact;
    private readonly long _small;
    private readonly bool _isSmall;

    public NumberBound(JsonNumber exact)
    {
        _exact = exact;
        _isSmall = exact.TryGetSmall(out _small);
    }

    /// <summary>Compares a literal with the bound: negative below, 0 equal, positive above.</summary>
    public int CompareLiteral(ReadOnlySpan<byte> literal, int type) =>
        _isSmall && type == JsonTypes.Integer && JsonNumber.TryParseSmall(literal, out long value)
            ? value.CompareTo(_small)
            : JsonNumber.Parse(literal).CompareTo(_exact);
}
