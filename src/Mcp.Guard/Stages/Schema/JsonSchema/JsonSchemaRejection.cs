namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>Why a schema is refused.</summary>
/// <param name="Code">Stable kebab-case code, one of <see cref="RejectionCodes"/>.</param>
/// <param name="Location">JSON Pointer to the place in the schema document; after a <c>#</c> and the document's URI where it is a registered one.</param>
/// <param name="Message">A sentence that says what is wrong.</param>
internal sealed record JsonSchemaRejection(string Code, string Location, string Message);
