namespace Mcp.Guard;

/// <summary>What a validation found. Everything but <see cref="Valid"/> denies.</summary>
public enum SchemaOutcome
{
    /// <summary>Nothing was validated.</summary>
    None = 0,

    /// <summary>The instance is valid.</summary>
    Valid = 1,

    /// <summary>The instance is not valid.</summary>
    Invalid = 2,

    /// <summary>A bound was reached before an answer.</summary>
    LimitExceeded = 3,

    /// <summary>The text is not acceptable JSON.</summary>
    MalformedText = 4,
}
