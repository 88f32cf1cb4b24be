using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Mcp.Guard.Audit;

/// <summary>
/// The spans and metrics of the guard, in OpenTelemetry's words for MCP (semantic conventions, "Model Context Protocol", status development). Tags have few
/// values: no arguments, no URIs, no ids of people; names of tools come from servers, so only the first 200 of each count apart. Listeners are code of the host that
/// runs in the guard's own calls: what they throw goes to <see cref="GuardEventSource"/> and changes no decision and no record.
/// </summary>
internal static class GuardTelemetry
{
    /// <summary>The name of the activity source and of the meter, for <c>AddSource</c> and <c>AddMeter</c>.</summary>
    public const string Name = "Mcp.Guard";

    private const int MaxTargetsOfServer = 200;
    private const string Other = "_OTHER";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> OperationDuration = Meter.CreateHistogram<double>(
        "mcp.client.operation.duration",
        "s",
        "The duration of an MCP request as observed by the sender.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] });

    private static readonly Counter<long> Decisions = Meter.CreateCounter<long>("mcp.guard.decisions", "{decision}", "Judged messages.");

    private static readonly Histogram<double> ConsentDuration = Meter.CreateHistogram<double>(
        "mcp.guard.consent.duration", "s", "How long people take to answer.");

    private static readonly Counter<long> AuditRecords = Meter.CreateCounter<long>("mcp.guard.audit.records", "{record}", "Records by kind and whether they were written.");

    private static readonly UpDownCounter<long> AbandonedCalls = Meter.CreateUpDownCounter<long>(
        "mcp.guard.calls.abandoned", "{call}", "Calls that were given up and still hold a slot, because the server may still work on them.");

    private static readonly Dictionary<string, HashSet<string>> Targets = new(StringComparer.Ordinal);
    private static readonly Lock TargetsGate = new();

    /// <summary>Whether anyone listens to how long requests take.</summary>
    public static bool MeasuresRequests => OperationDuration.Enabled;

    /// <summary>Starts the span of a request; null where nobody listens.</summary>
    /// <param name="method">The JSON-RPC method.</param>
    /// <param name="target">
    /// The tool or prompt; null for other methods, a resource's URI is never taken. A name that no call has been allowed with yet is left out until the end.
    /// </param>
    /// <param name="server">The server's id in the policy.</param>
    /// <param name="protocolVersion">The negotiated protocol version, where known.</param>
    public static Activity? StartRequest(string method, string? target, string server, string? protocolVersion)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        string methodTag = MethodTag(method);
        string? targetTag = TargetTag(methodTag, target, server, isKnown: false);
        Activity? activity = Start(targetTag is null ? methodTag : $"{methodTag} {targetTag}");
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("mcp.method.name", methodTag);
            activity.SetTag("mcp.guard.server", server);
            if (protocolVersion is not null)
            {
                activity.SetTag("mcp.protocol.version", protocolVersion);
            }

            if (targetTag is not null)
            {
                activity.SetTag(TargetTagName(methodTag), targetTag);
            }

            if (methodTag == "tools/call")
            {
                activity.SetTag("gen_ai.operation.name", "execute_tool");
            }
        }

        return activity;
    }

    /// <summary>Ends the span of a request and counts its duration.</summary>
    /// <param name="activity">What <see cref="StartRequest"/> gave.</param>
    /// <param name="method">The JSON-RPC method.</param>
    /// <param name="target">The tool or prompt.</param>
    /// <param name="server">The server's id in the policy.</param>
    /// <param name="decision">The decision or outcome in one word.</param>
    /// <param name="errorType">The denial code, the JSON-RPC error code, or <c>tool_error</c>; null where it succeeded.</param>
    /// <param name="decisionId">The decision id, on the span only: it leads from a trace to the audit.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="isKnown">True where the server listed the tool: models make up any number of names, and only real ones may take a place.</param>
    public static void EndRequest(
        Activity? activity,
        string method,
        string? target,
        string server,
        string decision,
        string? errorType,
        string decisionId,
        TimeSpan duration,
        bool isKnown)
    {
        if (activity is null && !OperationDuration.Enabled)
        {
            return;
        }

        string methodTag = MethodTag(method);
        string? targetTag = TargetTag(methodTag, target, server, isKnown);
        if (activity is { IsAllDataRequested: true })
        {
            if (targetTag is not null)
            {
                activity.DisplayName = $"{methodTag} {targetTag}";
                activity.SetTag(TargetTagName(methodTag), targetTag);
            }

            activity.SetTag("mcp.guard.decision", decision);
            activity.SetTag("mcp.guard.decision.id", decisionId);
            if (errorType is not null)
            {
                activity.SetTag("error.type", errorType);
                activity.SetStatus(ActivityStatusCode.Error);
            }
        }

        Stop(activity);
        if (!OperationDuration.Enabled)
        {
            return;
        }

        var tags = new TagList { { "mcp.method.name", methodTag }, { "mcp.guard.server", server } };
        if (targetTag is not null)
        {
            tags.Add(TargetTagName(methodTag), targetTag);
        }

        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        Record(OperationDuration, duration.TotalSeconds, tags);
    }

    /// <summary>Counts one judged message.</summary>
    public static void CountDecision(string method, string server, string decision, string? code)
    {
        if (!Decisions.Enabled)
        {
            return;
        }

        var tags = new TagList { { "mcp.method.name", MethodTag(method) }, { "mcp.guard.server", server }, { "mcp.guard.decision", decision } };
        if (code is not null)
        {
            tags.Add("mcp.guard.code", code);
        }

        Add(Decisions, 1, tags);
    }

    /// <summary>Measures one prompt.</summary>
    public static void CountConsent(string server, string answer, TimeSpan duration)
    {
        if (ConsentDuration.Enabled)
        {
            Record(ConsentDuration, duration.TotalSeconds, new TagList { { "mcp.guard.server", server }, { "mcp.guard.decision", answer } });
        }
    }

    /// <summary>Counts a call that was given up, or one whose slot is free again.</summary>
    public static void CountAbandoned(string server, int change)
    {
        if (AbandonedCalls.Enabled)
        {
            try
            {
                AbandonedCalls.Add(change, new KeyValuePair<string, object?>("mcp.guard.server", server));
            }
            catch (Exception fault)
            {
                GuardEventSource.Log.ListenerFailed(AbandonedCalls.Name, fault.GetType().Name);
            }
        }
    }

    /// <summary>Counts records that were written, refused or dropped.</summary>
    public static void CountRecords(string outcome, long count)
    {
        if (AuditRecords.Enabled && count > 0)
        {
            Add(AuditRecords, count, new TagList { { "mcp.guard.audit.outcome", outcome } });
        }
    }

    private static void Add(Counter<long> counter, long count, in TagList tags)
    {
        try
        {
            counter.Add(count, tags);
        }
        catch (Exception fault)
        {
            GuardEventSource.Log.ListenerFailed(counter.Name, fault.GetType().Name);
        }
    }

    private static void Record(Histogram<double> histogram, double value, in TagList tags)
    {
        try
        {
            histogram.Record(value, tags);
        }
        catch (Exception fault)
        {
            GuardEventSource.Log.ListenerFailed(histogram.Name, fault.GetType().Name);
        }
    }

    private static Activity? Start(string name)
    {
        Activity? around = Activity.Current;
        try
        {
            return Source.StartActivity(name, ActivityKind.Client);
        }
        catch (Exception fault)
        {
            // It may have become the current one before the listener threw.
            Activity.Current = around;
            GuardEventSource.Log.ListenerFailed(Name, fault.GetType().Name);
            return null;
        }
    }

    private static void Stop(Activity? activity)
    {
        try
        {
            activity?.Dispose();
        }
        catch (Exception fault)
        {
            if (ReferenceEquals(Activity.Current, activity))
            {
                Activity.Current = activity!.Parent;
            }

            GuardEventSource.Log.ListenerFailed(Name, fault.GetType().Name);
        }
    }

    /// <summary>Names of methods come from either side; those that the protocol does not have share one value.</summary>
    private static string MethodTag(string method) => method switch
    {
        "initialize" or "server/discover" or "ping" or "logging/setLevel"
            or "tools/list" or "tools/call" or "prompts/list" or "prompts/get"
            or "resources/list" or "resources/templates/list" or "resources/read" or "resources/subscribe" or "resources/unsubscribe"
            or "subscriptions/listen" or "completion/complete" or "sampling/createMessage" or "elicitation/create" or "roots/list"
            or "notifications/initialized" or "notifications/cancelled" or "notifications/progress" or "notifications/message"
            or "notifications/roots/list_changed" or "notifications/tools/list_changed" or "notifications/prompts/list_changed"
            or "notifications/resources/list_changed" or "notifications/resources/updated" => method,
        _ => Other,
    };

    private static string TargetTagName(string method) => method == "prompts/get" ? "gen_ai.prompt.name" : "gen_ai.tool.name";

    private static string? TargetTag(string method, string? target, string server, bool isKnown)
    {
        if (target is null || method is not ("tools/call" or "prompts/get"))
        {
            return null;
        }

        lock (TargetsGate)
        {
            // Servers are those of the policy, so there are few.
            if (!Targets.TryGetValue(server, out HashSet<string>? known))
            {
                Targets.Add(server, known = new(StringComparer.Ordinal));
            }

            if (known.Contains(target))
            {
                return target;
            }

            if (!isKnown || target.Length > 128 || known.Count >= MaxTargetsOfServer)
            {
                return Other;
            }

            known.Add(target);
            return target;
        }
    }
}
