using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Schema;

/// <summary>Arguments against the tool's <c>inputSchema</c>. A schema that is refused refuses its calls: what cannot be checked does not run.</summary>
internal sealed class ArgumentSchemaStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.Schema;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall)
        {
            return new(GuardDecision.Continue);
        }

        SchemaCompilation schema = context.Entry!.InputSchema;
        if (!schema.IsCompiled)
        {
            return new(Refused("inputSchema", schema.Rejection));
        }

        // A call whose result could not be checked does not run: refusing the result afterwards would not undo what the tool did.
        if (context.Entry.OutputSchema is { IsCompiled: false } output)
        {
            return new(Refused("outputSchema", output.Rejection));
        }

        SchemaOutcome outcome = context.Parameters.Validate(schema.Schema);
        if (outcome == SchemaOutcome.Valid)
        {
            return new(GuardDecision.Continue);
        }

        var errors = new List<SchemaError>();
        if (outcome == SchemaOutcome.Invalid)
        {
            context.Parameters.Validate(schema.Schema, errors);
        }

        string reason = errors.Count == 0 ? $"validation ended with {outcome}" : string.Join("; ", errors.Select(error => $"'{error.InstanceLocation}' {error.KeywordLocation}"));
        return new(GuardDecision.Deny(GuardDenialCodes.ArgumentsInvalid, reason, errors.Count == 0 ? null : SchemaMessages.ForModel(errors)));
    }

    private static GuardDecision Refused(string name, SchemaRejection rejection) =>
        GuardDecision.Deny(GuardDenialCodes.SchemaRefused, $"{name} refused: {rejection.Code} at '{rejection.Location}': {rejection.Message}");
}
