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
}
