using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Every text of a result, error or prompt without what hides, reorders or commands a terminal; references to other hosts as the policy says. A finding
/// that the policy refuses denies the result; one that it asks about is put to a person by <see cref="Consent.ResultConsentStage"/>.
/// </summary>
internal sealed class ResultSanitizingStage(IContentSanitizer host) : IGuardStage<ResultContext>
{
    public string Name => GuardStages.ResultSanitizing;

    public ValueTask<GuardDecision> EvaluateAsync(ResultContext context, CancellationToken ct)
    {
        ContentControls controls = context.Controls;
        ContentPlace place = context.IsError ? ContentPlace.Elsewhere : ContentPlace.Result;
        SanitizedJson cleaned = controls.Sanitizer.Sanitize(context.Current, SurfaceOf(context.Call.Kind), place);
        context.Findings |= cleaned.Flags;

        if (cleaned.Flags == ContentFlags.None && cleaned.Utf8 is null && host is BuiltInContentSanitizer)
        {
            return new(GuardDecision.Continue);
        }

        // What a server says of itself when it connects is a description, and falls under the same flags as tool definitions.
        IReadOnlyDictionary<ContentFindings, FlagAction> actions =
            context.Call.Kind == RequestKind.Lifecycle ? context.Call.Settings!.Flags : controls.Settings.Flags;
        foreach (var (finding, action) in actions)
        {
            if (((int)cleaned.Flags & (int)finding) == 0 || action == FlagAction.Report)
            {
                continue;
            }

            string flag = ContentFlagNames.Of((ContentFlags)(int)finding)[0];
            if (action != FlagAction.Ask)
            {
                return new(GuardDecision.Deny(GuardDenialCodes.ResultInvalid, $"the result was flagged {flag}, which the policy refuses"));
            }

            (context.AskReasons ??= []).Add(new GuardAskReason(Name, flag, ReasonFor(context.Server.Id, finding)));
        }

        if (cleaned.Utf8 is null && host is BuiltInContentSanitizer)
        {
            return new(GuardDecision.Continue);
        }

        JsonElement current = cleaned.Utf8 is { } utf8 ? JsonDocument.Parse(utf8).RootElement : context.Current;
        if (host is not BuiltInContentSanitizer)
        {
            current = HostText.Apply(current, text => host.Sanitize(text, ContentSurface.Result).Text, place);
        }

        return new(cleaned.Utf8 is null && string.Equals(current.GetRawText(), context.Current.GetRawText(), StringComparison.Ordinal)
            ? GuardDecision.Continue
            : GuardDecision.Replace(current, "sanitised", string.Join(',', ContentFlagNames.Of(cleaned.Flags)) is { Length: > 0 } flags ? flags : "cleaned"));
    }

    private static TextSurface SurfaceOf(RequestKind kind) => kind switch
    {
        RequestKind.Lifecycle => TextSurface.Description,
        RequestKind.Resource => TextSurface.Resource,
        _ => TextSurface.Result,
    };

    private static string ReasonFor(string server, ContentFindings finding) => finding switch
    {
        ContentFindings.InstructionLike => $"this result of server '{server}' contains instruction-like text",
        ContentFindings.RoleMarker => $"this result of server '{server}' imitates a conversation or its marks",
        ContentFindings.RemoteResource => $"this result of server '{server}' refers to images or elements of other hosts",
        ContentFindings.ActiveContent => $"this result of server '{server}' contains active content or a misleading link",
        ContentFindings.HiddenMarkup => $"this result of server '{server}' contains hidden markup",
        _ => $"this result of server '{server}' contained {ContentFlagNames.Of((ContentFlags)(int)finding)[0]} characters or names, which were cleaned",
    };
}
