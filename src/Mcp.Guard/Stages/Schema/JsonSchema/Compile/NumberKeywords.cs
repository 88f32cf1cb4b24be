namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Keywords on numbers. Bounds that fit are kept as long too, for literals that fit.</summary>
internal sealed class NumberKeywords
{
    public NumberBound? Minimum { get; set; }

    public NumberBound? Maximum { get; set; }

    public NumberBound? ExclusiveMinimum { get; set; }

    public NumberBound? ExclusiveMaximum { get; set; }

    public JsonNumber? MultipleOf { get; set; }

    /// <summary>The divisor where it is whole and small; 0 otherwise.</summary>
    public long SmallMultipleOf { get; set; }

    /// <summary>The first keyword that a literal breaks, in the order in which faults are told; <see cref="SchemaKeyword.None"/> where it keeps all.</summary>
    public SchemaKeyword FirstFault(ReadOnlySpan<byte> literal, int type) =>
        Minimum is { } minimum && minimum.CompareLiteral(literal, type) < 0 ? SchemaKeyword.Minimum
        : Maximum is { } maximum && maximum.CompareLiteral(literal, type) > 0 ? SchemaKeyword.Maximum
        : ExclusiveMinimum is { } above && above.CompareLiteral(literal, type) <= 0 ? SchemaKeyword.ExclusiveMinimum
        : ExclusiveMaximum is { } below && below.CompareLiteral(literal, type) >= 0 ? SchemaKeyword.ExclusiveMaximum
        : MultipleOf is { } divisor && !IsMultiple(literal, type, divisor) ? SchemaKeyword.MultipleOf
        : SchemaKeyword.None;

    public bool IsMultiple(ReadOnlySpan<byte> literal, int type, in JsonNumber divisor) =>
        SmallMultipleOf != 0 && type == JsonTypes.Integer && JsonNumber.TryParseSmall(literal, out long value)
            ? value % SmallMultipleOf == 0
            : JsonNumber.Parse(literal).IsMultipleOf(divisor);
}
