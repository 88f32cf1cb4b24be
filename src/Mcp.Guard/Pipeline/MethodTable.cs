using System.Collections.Frozen;

namespace Mcp.Guard.Pipeline;

/// <summary>
/// Every method that the guard knows, in both protocol eras (2025-11-25 with sessions, 2026-07-28 stateless). What is not listed is denied;
/// so are <c>tasks/*</c>, for which the SDK has no types.
/// </summary>
internal static class MethodTable
{
    public const string Initialize = "initialize";
    public const string Discover = "server/discover";
    public const string Ping = "ping";
    public const string SetLevel = "logging/setLevel";
    public const string ToolsList = "tools/list";
    public const string PromptsList = "prompts/list";
    public const string ResourcesList = "resources/list";
    public const string TemplatesList = "resources/templates/list";
    public const string ToolsCall = "tools/call";
    public const string ResourcesRead = "resources/read";
    public const string ResourcesSubscribe = "resources/subscribe";
    public const string ResourcesUnsubscribe = "resources/unsubscribe";
    public const string Listen = "subscriptions/listen";
    public const string PromptsGet = "prompts/get";
    public const string Complete = "completion/complete";

    public const string Sampling = "sampling/createMessage";
    public const string Elicitation = "elicitation/create";
    public const string Roots = "roots/list";

    public const string Initialized = "notifications/initialized";
    public const string Cancelled = "notifications/cancelled";
    public const string Progress = "notifications/progress";
    public const string RootsChanged = "notifications/roots/list_changed";
    public const string ToolsChanged = "notifications/tools/list_changed";
    public const string PromptsChanged = "notifications/prompts/list_changed";
    public const string ResourcesChanged = "notifications/resources/list_changed";
    public const string ResourceUpdated = "notifications/resources/updated";
    public const string LogMessage = "notifications/message";
    public const string ElicitationComplete = "notifications/elicitation/complete";
    public const string SubscriptionAcknowledged = "notifications/subscriptions/acknowledged";

    /// <summary>The newest protocol version that the guard knows; assumed where none is negotiated.</summary>
    public const string NewestProtocolVersion = "2026-07-28";

    private static readonly FrozenDictionary<string, RequestKind> Requests = new Dictionary<string, RequestKind>(StringComparer.Ordinal)
    {
        [Initialize] = RequestKind.Lifecycle,
        [Discover] = RequestKind.Lifecycle,
        [Ping] = RequestKind.Lifecycle,
        [SetLevel] = RequestKind.Lifecycle,
        [ToolsList] = RequestKind.Catalog,
        [PromptsList] = RequestKind.Catalog,
        [ResourcesList] = RequestKind.Catalog,
        [TemplatesList] = RequestKind.Catalog,
        [ToolsCall] = RequestKind.ToolCall,
        [ResourcesRead] = RequestKind.Resource,
        [ResourcesSubscribe] = RequestKind.Resource,
        [ResourcesUnsubscribe] = RequestKind.Resource,
        [Listen] = RequestKind.Subscription,
        [PromptsGet] = RequestKind.Prompt,
        [Complete] = RequestKind.Completion,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a request is about; <see cref="RequestKind.Unknown"/> where it is not listed.</summary>
    public static RequestKind KindOf(string method) => Requests.TryGetValue(method, out RequestKind kind) ? kind : RequestKind.Unknown;

    /// <summary>The member of <c>params</c> that names what a request is about, or null.</summary>
    public static string? TargetMember(RequestKind kind) => kind switch
    {
        RequestKind.ToolCall or RequestKind.Prompt => "name",
        RequestKind.Resource => "uri",
        _ => null,
    };

    /// <summary>The same as it stands in a JSON text; empty where there is none.</summary>
    public static ReadOnlySpan<byte> TargetMemberUtf8(RequestKind kind) => kind switch
    {
        RequestKind.ToolCall or RequestKind.Prompt => "name"u8,
        RequestKind.Resource => "uri"u8,
        _ => default,
    };

    /// <summary>Whether the protocol version has no sessions and carries its data in each request (SEP-2575).</summary>
    public static bool IsStateless(string? protocolVersion) =>
        protocolVersion is not null && string.CompareOrdinal(protocolVersion, NewestProtocolVersion) >= 0;
}
