namespace Mcp.Guard.Stages.Schema.JsonSchema;

/// <summary>The answer of one validation; <c>default</c> is not valid.</summary>
internal readonly struct JsonSchemaResult(JsonSchemaOutcome outcome, IReadOnlyList<JsonSchemaError>? errors, string? detail)
{
    private readonly IReadOnlyList<JsonSchemaError>? _errors = errors;

    public JsonSchemaOutcome Outcome { get; } = outcome;

    public bool IsValid => Outcome == JsonSchemaOutcome.Valid;

    /// <summary>What to correct, where errors were asked for and the outcome is <see cref="JsonSchemaOutcome.Invalid"/>.</summary>
    public IReadOnlyList<JsonSchemaError> Errors => _errors ?? [];

    /// <summary>Which limit was reached or what is wrong with the text; null otherwise.</summary>
    public string? Detail { get; } = detail;
}
