using System.Runtime.CompilerServices;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>URLs in arguments against the allowlists of the rules that matched: a fetch tool must not become the caller's way to other hosts (SSRF).</summary>
internal sealed class UrlArgumentsStage : IGuardStage<RequestContext>
{
    private readonly ConditionalWeakTable<Policy.UrlAllowlist, UrlAllowlist> _compiled = [];

    public string Name => GuardStages.Urls;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall || context.Verdict.Urls is not { } settings || !context.Parameters.HasArguments)
        {
            return new(GuardDecision.Continue);
        }

        IReadOnlyList<JsonPointerPattern> content = [];
        foreach (Policy.UrlAllowlist list in settings.Lists)
        {
            UrlAllowlist compiled = _compiled.GetValue(list, static source => UrlAllowlist.Create(source.Patterns, source.AllowPrivate));
            if (compiled.Problems.Count > 0)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.GuardFault, $"a URL pattern of a rule cannot be used: {compiled.Problems[0].Message}"));
            }

            if (UrlArgumentCheck.FindDenied(context.Parameters, compiled, content, out string pointer) is { } denied)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.UrlNotAllowed, $"'{pointer}': {denied.Message}"));
            }
        }

        return new(GuardDecision.Continue);
    }
}
