using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Stages.Notifications;

/// <summary>
/// What a server may tell without being asked: list changes (which make the guard list again before the next call), progress of an open call, log lines,
/// and updates of subscribed resources. Everything else is dropped.
/// </summary>
internal sealed class ServerNotificationStage : IGuardStage<NotificationContext>
{
    public string Name => "server-notifications";

    /// <summary>Text of a log line or progress message without what hides or commands a terminal.</summary>
    private static GuardDecision Cleaned(NotificationContext context) =>
        context.Payload.ValueKind == JsonValueKind.Object && JsonSanitizer.Default.Sanitize(context.Payload, TextSurface.Result).Utf8 is { } cleaned
            ? GuardDecision.Replace(JsonDocument.Parse(cleaned).RootElement, "sanitised", "the text was cleaned")
            : GuardDecision.Continue;

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
                return new(GuardDecision.Continue);

            case MethodTable.PromptsChanged:
            case MethodTable.ResourcesChanged:
            case MethodTable.SubscriptionAcknowledged:
                return new(GuardDecision.Continue);

            case MethodTable.LogMessage:
                return new(Cleaned(context));

            case MethodTable.Cancelled:
                return new(GuardDecision.Continue);

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
                        ? GuardDecision.Continue
                        : GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "an update of a resource that nobody subscribed to"));

            case MethodTable.ElicitationComplete:
                return new(context.Connection.Settings(context.Connection.Policy) is { Elicitation: { Allowed: true, Url: true } }
                    ? GuardDecision.Continue
                    : GuardDecision.Deny(GuardDenialCodes.ServerRequestRefused, "elicitation by URL is off"));

            default:
                return new(GuardDecision.Deny(GuardDenialCodes.MethodNotAllowed, "the notification is not in the method table"));
        }
    }
}
