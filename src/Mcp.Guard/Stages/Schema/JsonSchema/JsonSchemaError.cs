namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>One thing to correct. Holds no value of the instance, so that it may be shown to the model and kept in the audit.</summary>
/// <param name="InstanceLocation">JSON Pointer into the instance.</param>
/// <param name="KeywordLocation">JSON Pointer to the keyword in the schema document; after a <c>#</c> and the document's URI where it is a registered one.</param>
/// <param name="Keyword">The keyword that fails; empty where the schema is <c>false</c>.</param>
/// <param name="Message">A short sentence; names at most what the schema says.</param>
internal readonly record struct JsonSchemaError(string InstanceLocation, string KeywordLocation, string Keyword, string Message);
