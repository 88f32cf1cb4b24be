namespace Mcp.Guard;

/// <summary>One reason why an instance is not valid. It never holds a value of the instance.</summary>
/// <param name="InstanceLocation">JSON Pointer (RFC 6901) into the instance; empty for the whole.</param>
/// <param name="KeywordLocation">JSON Pointer into the schema.</param>
/// <param name="Message">What is expected, in a few words.</param>
public readonly record struct SchemaError(string InstanceLocation, string KeywordLocation, string Message);
