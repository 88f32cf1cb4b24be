namespace Mcp.Guard;

/// <summary>Why a schema was refused.</summary>
/// <param name="Code">Stable kebab-case code.</param>
/// <param name="Location">JSON Pointer into the schema; empty for the whole.</param>
/// <param name="Message">What is wrong and what would be accepted.</param>
public sealed record SchemaRejection(string Code, string Location, string Message);
