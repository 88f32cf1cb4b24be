using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Stages.PromptLimit;

/// <summary>The tokens of the messages of a <c>prompts/get</c> result, all texts together.</summary>
internal sealed class PromptLimitStage(ITokenCounter tokens) : IGuardStage<ResultContext>
{
    public string Name => GuardStages.PromptLimit;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        if (context.IsError || context.Call.Kind != RequestKind.Prompt || !context.Current.TryGetProperty("messages"u8, out JsonElement messages))
        {
            return new(GuardDecision.Continue);
        }

        int limit = context.Call.Settings!.Limits.PromptMaxTokens;
        long count = CountTexts(messages, tokens, limit);
        return new(count <= limit
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.PromptTooLong, $"the prompt has more than {limit} tokens"));
    }

    /// <summary>Counts every text below a value; ends once the limit is passed. As deep as the message, which its reader bounded.</summary>
    public static long CountTexts(JsonElement value, ITokenCounter tokens, int limit)
    {
        long sum = 0;
        if (value.ValueKind == JsonValueKind.String)
        {
            sum = tokens.Count(JsonText.GetString(value));
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                sum += CountTexts(item, tokens, limit);
                if (sum > limit)
                {
                    break;
                }
            }
        }
        else if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                sum += CountTexts(member.Value, tokens, limit);
                if (sum > limit)
                {
                    break;
                }
            }
        }

        return sum;
    }
}
