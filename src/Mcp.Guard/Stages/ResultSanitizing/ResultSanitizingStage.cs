using System.Runtime.CompilerServices;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Every text of a result, error or prompt without what hides, reorders or commands a terminal; references to other hosts as the policy says. A finding
/// that the policy refuses denies the result.
/// </summary>
internal sealed class ResultSanitizingStage(IContentSanitizer host) : IGuardStage<ResultContext>
{
    private readonly ConditionalWeakTable<ResultSettings, JsonSanitizer> _sanitizers = [];

    public string Name => GuardStages.ResultSanitizing;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ResultSettings settings = context.Call.HasVerdict && context.Call.Verdict.Results is { } own ? own : context.Call.Settings!.Limits.Results;
        JsonSanitizer sanitizer = _sanitizers.GetValue(settings, static source => new JsonSanitizer(new TextSanitizer(PolicyOf(source))));
        SanitizedJson cleaned = sanitizer.Sanitize(context.Current, context.Call.Kind == RequestKind.Resource ? TextSurface.Resource : TextSurface.Result);
        foreach (var (finding, action) in settings.Flags)
        {
            if (action == FlagAction.Deny && ((int)cleaned.Flags & (int)finding) != 0)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.ResultInvalid, $"the result was flagged {finding}, which the policy refuses"));
            }
        }

        JsonElement current = cleaned.Utf8 is { } utf8 ? JsonDocument.Parse(utf8).RootElement : context.Current;
        if (host is not BuiltInContentSanitizer)
        {
            current = HostSanitizer.Apply(current, host);
        }

        return new(cleaned.Utf8 is null && string.Equals(current.GetRawText(), context.Current.GetRawText(), StringComparison.Ordinal)
            ? GuardDecision.Continue
            : GuardDecision.Replace(current, "sanitised", string.Join(',', ContentFlagNames.Of(cleaned.Flags)) is { Length: > 0 } flags ? flags : "cleaned"));
    }

    private static RemoteReferencePolicy PolicyOf(ResultSettings settings)
    {
        RemoteReferenceAction action = settings.RemoteReferences switch
        {
            Policy.RemoteReferences.Keep => RemoteReferenceAction.Keep,
            Policy.RemoteReferences.Remove => RemoteReferenceAction.Remove,
            _ => RemoteReferenceAction.Defang,
        };
        return new RemoteReferencePolicy(action, allowedHosts: settings.AllowedHosts);
    }
}
