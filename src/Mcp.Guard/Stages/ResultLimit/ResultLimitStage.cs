using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ResultLimit;

/// <summary>Size, number of content blocks and depth of a result. Over a limit the rule says: deny, or cut with a notice.</summary>
internal sealed class ResultLimitStage : IGuardStage<ResultContext>
{
    /// <summary>Values of a result at all depths together.</summary>
    private const int MaxValues = 100_000;

    public string Name => GuardStages.ResultLimit;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ResultSettings limits = context.Controls.Settings;
        ResultSize size = ResultGauge.Measure(context.Current, context.Controls.Bounds);
        if (size == ResultSize.Fits && HasMoreItems(context.Current, limits.MaxItems))
        {
            size = ResultSize.TooManyItems;
        }

        if (size == ResultSize.TooManyBytes && limits.Overflow == ResultOverflow.Cut && TextResultCutter.Cut(context.Current, limits.MaxBytes) is { } cut)
        {
            return new(GuardDecision.Replace(cut, "cut", $"the result was longer than {limits.MaxBytes} bytes"));
        }

        return new(size == ResultSize.Fits
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.ResultTooLarge, $"{size}: at most {limits.MaxBytes} bytes, {limits.MaxItems} items, depth {limits.MaxDepth}"));
    }

    /// <summary>What the settings bound, for all values of a result together.</summary>
    public static ResultLimits BoundsOf(ResultSettings settings) => new() { MaxBytes = settings.MaxBytes, MaxItems = MaxValues, MaxDepth = settings.MaxDepth };

    private static bool HasMoreItems(JsonElement result, int maxItems)
    {
        foreach (JsonProperty member in result.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Array && member.Value.GetArrayLength() > maxItems)
            {
                return true;
            }
        }

        return false;
    }
}
