using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.Schema;

/// <summary><c>structuredContent</c> against the tool's <c>outputSchema</c>. A tool that reports an error need not have structured content.</summary>
internal sealed class ResultSchemaStage : IGuardStage<ResultContext>
{
    public string Name => GuardStages.ResultSchema;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        if (context.IsError || context.Call.Kind != RequestKind.ToolCall || context.Call.Entry?.OutputSchema is not { } schema)
        {
            return new(GuardDecision.Continue);
        }

        if (!schema.IsCompiled)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.SchemaRefused, $"outputSchema refused: {schema.Rejection.Code} at '{schema.Rejection.Location}'"));
        }

        bool failed = context.Current.TryGetProperty("isError"u8, out JsonElement isError) && isError.ValueKind == JsonValueKind.True;
        if (!context.Current.TryGetProperty("structuredContent"u8, out JsonElement content))
        {
            return new(failed
                ? GuardDecision.Continue
                : GuardDecision.Deny(GuardDenialCodes.ResultInvalid, "the tool has an outputSchema and its result no structuredContent"));
        }

        SchemaOutcome outcome = schema.Schema.Validate(content);
        return new(outcome == SchemaOutcome.Valid || failed
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.ResultInvalid, $"structuredContent does not match the outputSchema ({outcome})"));
    }
}
