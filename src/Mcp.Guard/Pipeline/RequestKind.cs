namespace Mcp.Guard.Pipeline;

/// <summary>What a request is about; decides which controls have something to say.</summary>
internal enum RequestKind
{
    /// <summary>Not in the method table: denied.</summary>
    Unknown = 0,

    /// <summary><c>initialize</c>, <c>server/discover</c>, <c>ping</c>, <c>logging/setLevel</c>.</summary>
    Lifecycle,

    /// <summary>The four list requests.</summary>
    Catalog,

    /// <summary><c>tools/call</c>.</summary>
    ToolCall,

    /// <summary><c>resources/read</c>, <c>resources/subscribe</c>, <c>resources/unsubscribe</c>.</summary>
    Resource,

    /// <summary><c>subscriptions/listen</c>: names list changes and resources to be told about.</summary>
    Subscription,

    /// <summary><c>prompts/get</c>.</summary>
    Prompt,

    /// <summary><c>completion/complete</c>.</summary>
    Completion,
}
