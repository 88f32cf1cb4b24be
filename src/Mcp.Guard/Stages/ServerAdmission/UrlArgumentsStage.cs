using System.Runtime.CompilerServices;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>URLs in arguments against the allowlists of the rules that matched: a fetch tool must not become the caller's way to other hosts (SSRF).</summary>
internal sealed class UrlArgumentsStage : IGuardStage<RequestContext>
{
    private readonly ConditionalWeakTable<Policy.UrlAllowlist, UrlArgumentRules> _compiled = [];

    public string Name => GuardStages.Urls;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall || context.Verdict.Urls is not { } settings || !context.Parameters.HasArguments)
        {
            return new(GuardDecision.Continue);
        }

        foreach (Policy.UrlAllowlist list in settings.Lists)
        {
            UrlArgumentRules rules = _compiled.GetValue(list, UrlArgumentRules.Create);
            if (rules.Problem is not null)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.GuardFault, rules.Problem));
            }

            if (UrlArgumentCheck.FindDenied(context.Parameters, rules.Allowlist, rules.Declared, out string pointer) is { } denied)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.UrlNotAllowed, $"'{pointer}': {denied.Message}"));
            }
        }

        return new(GuardDecision.Continue);
    }
}
