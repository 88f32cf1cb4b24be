using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.ToolPinning;

/// <summary>
/// Lets only listed tools be called whose definition is the remembered one. A tool that appeared after the first sight of its server asks, also where
/// a pattern of a rule would allow it: <c>read_*</c> was written before <c>read_and_upload</c> existed.
/// </summary>
internal sealed class ToolPinningStage : IGuardStage<RequestContext>
{
    public string Name => GuardStages.ToolPinning;

    public ValueTask<GuardDecision> EvaluateAsync(RequestContext context, CancellationToken ct)
    {
        if (context.Kind != RequestKind.ToolCall)
        {
            return new(GuardDecision.Continue);
        }

        ValueTask<ToolEntry?> found = context.Connection.Tools.ResolveAsync(context, ct);
        return found.IsCompletedSuccessfully ? new(Judge(context, found.Result)) : AwaitAsync(context, found);
    }

    private static async ValueTask<GuardDecision> AwaitAsync(RequestContext context, ValueTask<ToolEntry?> found) =>
        Judge(context, await found.ConfigureAwait(false));

    private static GuardDecision Judge(RequestContext context, ToolEntry? entry)
    {
        context.Entry = entry;
        if (entry is null)
        {
            return GuardDecision.Deny(GuardDenialCodes.ToolUnknown, "the server lists no tool of this name");
        }

        if (!entry.Name.IsUsable)
        {
            return entry.Name.Fault is ToolNameFault.Length or ToolNameFault.Characters
                ? GuardDecision.Deny(GuardDenialCodes.ToolUnknown, "the name is not one that a tool may have")
                : GuardDecision.Deny(GuardDenialCodes.NameCollision, $"the name cannot be told from others ({entry.Name.Fault})");
        }

        if (context.ConsentGiven && !string.Equals(context.ConsentedFingerprint, entry.Definition.Fingerprint, StringComparison.Ordinal))
        {
            return GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the definition changed after the person had answered");
        }

        if (context.Continues is { } first && !string.Equals(first.Fingerprint, entry.Definition.Fingerprint, StringComparison.Ordinal))
        {
            // Nobody is asked about a continued call: it stands for what was judged with its first request.
            return GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the definition changed after the call had begun");
        }

        return CatalogStage.ActionOf(context.Settings!, entry.Findings) switch
        {
            FlagAction.Deny => GuardDecision.Deny(GuardDenialCodes.RuleDenied, $"the definition is flagged {Flags(entry)}, which the policy refuses"),
            FlagAction.Ask => Worse(
                GuardDecision.AskConsent("tool-flagged", $"its definition is flagged {Flags(entry)}"),
                JudgePin(context, entry)),
            _ => JudgePin(context, entry),
        };
    }

    private static string Flags(ToolEntry entry) => string.Join(", ", ContentFlagNames.Of((ContentFlags)(int)entry.Findings));

    private static GuardDecision Worse(GuardDecision flagged, GuardDecision pin) => pin.Kind == GuardDecisionKind.Continue ? flagged : pin;

    private static GuardDecision Refused => GuardDecision.Deny(GuardDenialCodes.ToolChanged, "a person refused this definition");

    private static GuardDecision JudgePin(RequestContext context, ToolEntry entry) => entry.Pin switch
    {
        ToolPinState.Pinned => GuardDecision.Continue,
        ToolPinState.Refused => Refused,
        ToolPinState.New or ToolPinState.Changed when context.Connection.Runtime.Reviews.IsRefused(context.Connection, entry.Definition) => Refused,
        ToolPinState.New when context.HasVerdict && context.Verdict.Effect == RuleEffect.Allow && !context.Verdict.IsGlobAllow => GuardDecision.Continue,
        ToolPinState.New => GuardDecision.AskConsent("tool-new", "the tool appeared after its server was first seen"),
        ToolPinState.Changed when entry.IsPinnedByPolicy => GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the definition is not the one that the policy pins"),
        ToolPinState.Changed => GuardDecision.AskConsent("tool-changed", "the tool is not as it was approved"),
        _ => GuardDecision.Deny(GuardDenialCodes.ToolChanged, "the pins of this server are lost, damaged or out of reach"),
    };
}
