using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.PromptLimit;

/// <summary>The tokens of the messages and the system prompt of a sampling request, all texts together, before the host sees it.</summary>
internal sealed class SamplingPromptLimitStage(ITokenCounter tokens) : IGuardStage<ServerRequestContext>
{
    public string Name => "sampling-prompt-limit";

    public ValueTask<GuardDecision> EvaluateAsync(ServerRequestContext context, CancellationToken ct)
    {
        if (!string.Equals(context.Method, MethodTable.Sampling, StringComparison.Ordinal))
        {
            return new(GuardDecision.Continue);
        }

        if (context.Connection.Settings(context.Connection.Policy) is not { } settings || context.Current.ValueKind != JsonValueKind.Object)
        {
            return new(GuardDecision.Deny(GuardDenialCodes.ServerRequestRefused, "a sampling request without parameters, or of a server that the policy no longer names"));
        }

        int limit = LimitOf(settings);
        long count = 0;
        foreach (JsonProperty member in context.Current.EnumerateObject())
        {
            if (member.NameEquals("messages"u8) || member.NameEquals("systemPrompt"u8))
            {
                count += PromptLimitStage.CountTexts(member.Value, tokens, limit);
            }
        }

        return new(count <= limit
            ? GuardDecision.Continue
            : GuardDecision.Deny(GuardDenialCodes.PromptTooLong, $"the sampling request has more than {limit} tokens"));
    }

    private static int LimitOf(ServerSettings settings) => settings.Sampling.MaxPromptTokens ?? settings.Limits.PromptMaxTokens;
}
