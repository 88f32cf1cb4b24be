namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>What a validation found. Everything but <see cref="Valid"/> denies, the default value too.</summary>
internal enum JsonSchemaOutcome
{
    /// <summary>Nothing was validated.</summary>
    None = 0,

    /// <summary>The instance satisfies the schema.</summary>
    Valid,

    /// <summary>The instance does not satisfy the schema.</summary>
    Invalid,

    /// <summary>A bound was reached before there was an answer.</summary>
    LimitExceeded,

    /// <summary>The text is not JSON on which all readers agree.</summary>
    MalformedText,
}
