using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Stages.Schema;

/// <summary>A schema that the library's own engine compiled.</summary>
internal sealed class BuiltInCompiledSchema(JsonSchemaProgram program) : CompiledSchema
{
    public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5) =>
        Report(program.Validate(instance, errors is null ? 0 : maxErrors), errors);

    public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5) =>
        Report(program.Validate(utf8, errors is null ? 0 : maxErrors), errors);

    private static SchemaOutcome Report(JsonSchemaResult result, ICollection<SchemaError>? errors)
    {
        if (errors is not null)
        {
            foreach (JsonSchemaError error in result.Errors)
            {
                errors.Add(new SchemaError(error.InstanceLocation, error.KeywordLocation, error.Message));
            }
        }

        return result.Outcome switch
        {
            JsonSchemaOutcome.Valid => SchemaOutcome.Valid,
            JsonSchemaOutcome.Invalid => SchemaOutcome.Invalid,
            JsonSchemaOutcome.LimitExceeded => SchemaOutcome.LimitExceeded,
            JsonSchemaOutcome.MalformedText => SchemaOutcome.MalformedText,
            _ => SchemaOutcome.None,
        };
    }
}
