using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>Size, number of content blocks and depth of a result. Over a limit the rule says: deny, or cut with a notice.</summary>
internal sealed class ResultLimitStage : IGuardStage<ResultContext>
{
    public string Name => GuardStages.ResultLimit;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ResultSettings limits = context.Call.HasVerdict && context.Call.Verdict.Results is { } own ? own : context.Call.Settings!.Limits.Results;
        JsonElement result = context.Current;
        long bytes = System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(result).Length;
        if (bytes > limits.MaxBytes)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"the result has {bytes} bytes, more than {limits.MaxBytes}"));
        }

        foreach (JsonProperty member in result.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Array && member.Value.GetArrayLength() > limits.MaxItems)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"the result has {member.Value.GetArrayLength()} items, more than {limits.MaxItems}"));
            }
        }

        return new(GuardDecision.Continue);
    }
}
