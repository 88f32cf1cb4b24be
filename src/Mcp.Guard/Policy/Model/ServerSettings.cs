using System.Collections.Frozen;

namespace Mcp.Guard.Policy;

/// <summary>What the policy says about one server.</summary>
internal sealed record ServerSettings
{
    public required string Id { get; init; }

    public required McpServerIdentity Identity { get; init; }

    /// <summary>SHA-256 over this server's part and the defaults, lower-case hexadecimal: unchanged by changes elsewhere in the policy.</summary>
    public required string Revision { get; init; }

    public required ServerEndpoint Endpoint { get; init; }

    /// <summary>Null where the policy says nothing: a server that the guard starts needs an explicit mode.</summary>
    public IsolationSettings? Isolation { get; init; }

    /// <summary>In the order of the policy: a relative path of a call starts at the first.</summary>
    public IReadOnlyList<GuardRoot> Roots { get; init; } = [];

    /// <summary>What holds where no rule says otherwise: the policy's defaults, replaced by the server's own values.</summary>
    public required PolicyDefaults Limits { get; init; }

    /// <summary>Whether the server's own hints about danger are believed.</summary>
    public bool Trusted { get; init; }

    public bool? RequireCaller => Limits.RequireCaller;

    public int MaxConcurrentCalls => Limits.MaxConcurrentCalls;

    /// <summary>Whether a transport of the host's that cannot be checked is accepted.</summary>
    public bool UncheckedTransport { get; init; }

    public bool AllowCompletion { get; init; }

    /// <summary>Whether arguments may be mirrored into HTTP headers where the tool's schema asks for it (<c>x-mcp-header</c>).</summary>
    public bool AllowHeaderMirroring { get; init; }

    public SamplingSettings Sampling { get; init; } = new();

    public ElicitationSettings Elicitation { get; init; } = new();

    public MetaSettings Meta { get; init; } = MetaSettings.None;

    /// <summary>What findings in tool definitions lead to; one that is absent is reported.</summary>
    public FrozenDictionary<ContentFindings, FlagAction> Flags { get; init; } = FrozenDictionary<ContentFindings, FlagAction>.Empty;

    /// <summary>Tool name to fingerprint (lower-case hexadecimal SHA-256). Where there are any, first sight is not trusted.</summary>
    public IReadOnlyDictionary<string, string> Pins { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Every rule, in ordinal order of the ids.</summary>
    public IReadOnlyList<CompiledRule> Rules { get; init; } = [];

    internal required RuleSet ToolRules { get; init; }

    internal required RuleSet ResourceRules { get; init; }

    internal required RuleSet PromptRules { get; init; }

    /// <summary>The same settings with their revision, which can only be known when they are complete.</summary>
    public ServerSettings WithRevision(string revision) => this with { Revision = revision };

    /// <summary>The rules that can match calls of one tool.</summary>
    /// <param name="name">Its exact name.</param>
    public TargetRules ForTool(string name) => ToolRules.For(name);

    /// <summary>The rules that can match one resource.</summary>
    /// <param name="uri">Its exact URI.</param>
    public TargetRules ForResource(string uri) => ResourceRules.For(uri);

    /// <summary>The rules that can match one prompt.</summary>
    /// <param name="name">Its exact name.</param>
    public TargetRules ForPrompt(string name) => PromptRules.For(name);
}
