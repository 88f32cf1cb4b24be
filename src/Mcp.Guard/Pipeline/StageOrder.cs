using Mcp.Guard.Hosting;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Caller;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Stages.Methods;
using Mcp.Guard.Stages.Notifications;
using Mcp.Guard.Stages.PromptLimit;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.Framing;
using Mcp.Guard.Stages.ResultLimit;
using Mcp.Guard.Stages.ResultSanitizing;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.Rules;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ServerAdmission;
using Mcp.Guard.Stages.ServerRequests;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>The order of the stages, for every kind of message, in one place.</summary>
internal static class StageOrder
{
    public static StageLists Build(StageParts parts, IReadOnlyList<(StagePlacement Placement, IGuardStage Stage)> placed, TimeSpan deadline, TimeProvider time, ILogger logger)
    {
        var uris = new ResourceUriCheck(parts.Roots);
        IGuardStage<ConnectionContext>[] connection =
        [
            new ServerAdmissionStage(parts.Halts),
        ];

        IGuardStage<CatalogContext>[] catalog =
        [
            new CatalogStage(),
        ];

        IGuardStage<RequestContext>[] request =
        [
            new KillSwitchStage(parts.Halts),
            new MethodTableStage(),
            new CallerStage(),
            new RulesStage(),
            new ToolPinningStage(),
            new ArgumentSchemaStage(),
            new RootsStage(parts.Roots, uris),
            new UrlArgumentsStage(),
            new BudgetStage(parts.Budgets),
            new RateLimitStage(parts.RateLimits),
            new ConsentStage(parts.Consent, parts.Halts),
        ];

        IGuardStage<ResultContext>[] result =
        [
            new ResultLimitStage(),
            new ResultSchemaStage(),
            new InstructionPinStage(),
            new ResultResourcesStage(uris),
            new PromptLimitStage(parts.Tokens),
            new MediaStage(),
            new ResultSanitizingStage(parts.Sanitizer),
            new RedactionStage(parts.Redaction),
            new ResultConsentStage(parts.Consent, parts.Halts),
            new ResultFramingStage(),
        ];

        IGuardStage<ServerRequestContext>[] serverRequest =
        [
            new ServerRequestGate(parts.Halts),
            new SamplingRequestStage(),
            new SamplingPromptLimitStage(parts.Tokens),
            new ElicitationRequestStage(),
            new ServerRequestTextStage(parts.Sanitizer, parts.Redaction),
            new ServerRequestRateStage(parts.RateLimits),
            new ServerRequestConsentStage(parts.Consent, parts.Halts, time),
            new ServerRequestOriginStage(),
        ];

        IGuardStage<NotificationContext>[] notification =
        [
            new ServerNotificationStage(parts.Sanitizer, parts.Redaction),
        ];

        var unplaced = new HashSet<StagePlacement>(placed.Select(item => item.Placement));
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (IGuardStage stage in connection.Cast<IGuardStage>().Concat(catalog).Concat(request).Concat(result).Concat(serverRequest).Concat(notification))
        {
            names.Add(stage.Name);
        }

        foreach (var (placement, stage) in placed)
        {
            if (string.IsNullOrWhiteSpace(stage.Name) || !names.Add(stage.Name))
            {
                throw new McpGuardConfigurationException(
                    $"Two stages are named '{stage.Name}' (one is {placement.Part.Description}). Give IGuardStage.Name a name of its own; it stands in the audit.");
            }
        }

        var lists = new StageLists
        {
            Connection = Place(connection, placed, unplaced, null, deadline, time, logger),
            Catalog = Place(catalog, placed, unplaced, null, deadline, time, logger),
            Request = Place(request, placed, unplaced, GuardStages.Consent, deadline, time, logger),
            Result = Place(result, placed, unplaced, GuardStages.ResultConsent, deadline, time, logger),
            ServerRequest = Place(serverRequest, placed, unplaced, GuardStages.ServerRequestConsent, deadline, time, logger),
            Notification = Place(notification, placed, unplaced, null, deadline, time, logger),
        };
        if (unplaced.Count > 0)
        {
            StagePlacement first = unplaced.First();
            string where = first.Before is not null ? $"before '{first.Before}'" : first.After is not null ? $"after '{first.After}'" : "anywhere";
            throw new McpGuardConfigurationException(
                $"The stage {first.Part.Description} cannot be placed {where}: no list that it judges has a stage of that name. " +
                $"Use one of GuardStages ({string.Join(", ", request.Select(stage => stage.Name))}) and implement IGuardStage<GuardRequestContext> or another context.");
        }

        return lists;
    }

    private static StageSlot<TContext>[] Place<TContext>(
        IGuardStage<TContext>[] builtIn,
        IReadOnlyList<(StagePlacement Placement, IGuardStage Stage)> placed,
        HashSet<StagePlacement> unplaced,
        string? last,
        TimeSpan deadline,
        TimeProvider time,
        ILogger logger)
        where TContext : GuardContext
    {
        var order = new List<IGuardStage<TContext>>(builtIn);
        foreach (var (placement, stage) in placed)
        {
            if (stage is not IGuardStage<TContext> typed)
            {
                continue;
            }

            string? anchor = placement.Before ?? placement.After;
            int at = anchor is null
                ? order.FindIndex(item => string.Equals(item.Name, last, StringComparison.Ordinal))
                : order.FindIndex(item => string.Equals(item.Name, anchor, StringComparison.Ordinal));
            bool isAnchored = anchor is null || at >= 0;
            if (!isAnchored)
            {
                // A stage that judges several kinds of message is in the list of each: where its anchor is of another list, at the place of stages without one.
                at = order.FindIndex(item => string.Equals(item.Name, last, StringComparison.Ordinal));
            }

            int position = at < 0 ? order.Count : placement.After is null || !isAnchored ? at : at + 1;

            // Behind the person's answer there is no place: what is asked there is asked of nobody, and what the guard adds is its last word.
            if (last is not null && position > order.FindIndex(item => string.Equals(item.Name, last, StringComparison.Ordinal)))
            {
                string name = last switch
                {
                    GuardStages.Consent => nameof(GuardStages.Consent),
                    GuardStages.ResultConsent => nameof(GuardStages.ResultConsent),
                    _ => nameof(GuardStages.ServerRequestConsent),
                };
                throw new McpGuardConfigurationException(
                    $"The stage {placement.Part.Description} is placed after '{last}', where it could neither ask nor replace. " +
                    $"Say AddStage(..., before: GuardStages.{name}).");
            }

            order.Insert(position, typed);
            if (isAnchored)
            {
                unplaced.Remove(placement);
            }
        }

        // A person takes longer than a stage may: Consent bounds itself by the policy's consent time-out.
        return [.. order.Select(stage => new StageSlot<TContext>(
            stage, stage is ConsentStage or ResultConsentStage or ServerRequestConsentStage ? Timeout.InfiniteTimeSpan : deadline, time, logger))];
    }
}
