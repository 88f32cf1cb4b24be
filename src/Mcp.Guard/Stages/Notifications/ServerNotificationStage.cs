using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Notifications;

/// <summary>
/// What a server may tell without being asked: list changes (which make the guard list again before the next call), progress of an open call, log lines,
/// and updates of subscribed resources. Everything else is dropped.
/// </summary>
internal sealed class ServerNotificationStage(IContentSanitizer host, ContentRedaction redaction) : IGuardStage<NotificationContext>
{
    public string Name => "server-notifications";

    public ValueTask<GuardDecision> EvaluateAsync(NotificationContext context, CancellationToken ct)
    {
        if (!context.IsFromServer)
        {
            return new(GuardDecision.Continue);
        }

        switch (context.Method)
        {
            case MethodTable.ToolsChanged:
                context.Connection.Tools.MarkStale();
                return new(Cleaned(context));

            case MethodTable.PromptsChanged:
            case MethodTable.ResourcesChanged:
            case MethodTable.SubscriptionAcknowledged:
            case MethodTable.LogMessage:
            case MethodTable.Cancelled:
                return new(Cleaned(context));

            case MethodTable.Progress:
                return new(context.Payload.ValueKind == JsonValueKind.Object
                    && context.Payload.TryGetProperty("progressToken"u8, out JsonElement token)
                    && context.Connection.OwnsProgressToken?.Invoke(token.GetRawText()) == true
                        ? Cleaned(context)
                        : GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "progress of no open call"));

            case MethodTable.ResourceUpdated:
                return new(context.Payload.ValueKind == JsonValueKind.Object
                    && context.Payload.TryGetProperty("uri"u8, out JsonElement uri)
                    && uri.ValueKind == JsonValueKind.String
                    && context.Connection.Subscriptions.Covers(uri.GetString()!)
                        ? Cleaned(context)
                        : GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "an update of a resource that nobody subscribed to"));

            case MethodTable.ElicitationComplete:
                return new(context.Connection.Settings(context.Connection.Policy) is { Elicitation: { Allowed: true, Url: true } }
                    ? Cleaned(context)
                    : GuardDecision.Deny(GuardDenialCodes.ServerRequestRefused, "elicitation by URL is off"));

            default:
                return new(GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "the notification is not in the method table"));
        }
    }

    /// <summary>
    /// Every text of the message by the same rules as a result of this server. What a result would be asked about is dropped: nobody is asked about a
    /// notification.
    /// </summary>
    private GuardDecision Cleaned(NotificationContext context)
    {
        if (context.Payload.ValueKind != JsonValueKind.Object)
        {
            return GuardDecision.Continue;
        }

        if (context.Connection.Settings(context.Connection.Policy) is not { } settings)
        {
            return GuardDecision.Deny(GuardDenialCodes.ServerNotAllowed, "the policy no longer names the server");
        }

        ContentControls controls = ContentControls.Of(settings.Limits.Results);
        SanitizedJson cleaned = controls.Sanitizer.Sanitize(context.Payload, TextSurface.Result);
        foreach (var (finding, action) in controls.Settings.Flags)
        {
            if (action != FlagAction.Report && ((int)cleaned.Flags & (int)finding) != 0)
            {
                return GuardDecision.Deny(GuardDenialCodes.ResultInvalid, $"the notification was flagged {ContentFlagNames.Of((ContentFlags)(int)finding)[0]}");
            }
        }

        JsonElement current = cleaned.Utf8 is { } utf8 ? JsonDocument.Parse(utf8).RootElement : context.Payload;
        if (host is not BuiltInContentSanitizer)
        {
            current = HostText.Apply(current, text => host.Sanitize(text, ContentSurface.Result).Text);
        }

        if (controls.Settings.Redact)
        {
            current = redaction.Apply(current);
        }

        return GuardDecision.Replace(current, "sanitised", "the text was cleaned");
    }
}
