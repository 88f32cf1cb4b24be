namespace Mcp.Guard.Policy;

/// <summary>One kind of object of the policy document: its name in the published JSON Schema and every key that it may have.</summary>
/// <param name="Name">The name of its definition in <c>docs/mcp-guard.schema.json</c>.</param>
/// <param name="Keys">The keys.</param>
internal sealed record PolicySection(string Name, params string[] Keys)
{
    public static readonly PolicySection Document = new("document", "$schema", "description", "stateDirectory", "packageStore", "defaults", "audit", "servers");

    public static readonly PolicySection Defaults = new("defaults", LimitKeys);

    public static readonly PolicySection Audit = new(
        "audit", "directory", "retentionDays", "arguments", "results", "durability", "key", "checkpoints");

    public static readonly PolicySection Server = new(
        "server",
        [
            "description", "url", "transport", "allowPrivate", "useEnvironmentProxy", "headers", "authorizationUrls",
            "command", "arguments", "environment", "sha256", "package", "hostProvided",
            "isolation", "roots", "trusted", "allowCompletion", "allowHeaderMirroring", "sampling", "elicitation", "meta", "flags", "pins", "rules",
            .. LimitKeys,
        ]);

    public static readonly PolicySection Package = new("package", "npm", "dotnet", "version", "executable");

    public static readonly PolicySection PackageArgument = new("packageArgument", "package", "version");

    public static readonly PolicySection Isolation = new(
        "isolation", "mode", "readable", "writable", "network", "preset", "image", "engine", "environment", "memory", "cpus", "processes", "openFiles",
        "fileSize", "temp", "user", "workingDirectory", "required");

    public static readonly PolicySection Root = new("root", "path", "access");

    public static readonly PolicySection Rule = new(
        "rule", "description", "tools", "resources", "prompts", "effect", "when", "require", "destructive", "rateLimit", "timeout", "timeoutWithProgress",
        "paths", "urls", "results");

    public static readonly PolicySection RateLimit = new("rateLimit", "permits", "per", "burst", "by");

    public static readonly PolicySection Budgets = new("budgets", "calls", "callsPerTool", "repeats");

    public static readonly PolicySection Repeats = new("repeats", "permits", "per");

    public static readonly PolicySection Results = new(
        "results", "maxBytes", "maxItems", "maxDepth", "overflow", "remoteReferences", "linksWithQuery", "allowedHosts", "mediaTypes",
        "mediaMaxBytes", "framing", "redact", "flags");

    public static readonly PolicySection Flags = new(
        "flags", "hidden-unicode", "bidi", "control", "terminal", "bad-name", "name-collision", "remote-resource", "active-content", "hidden-markup",
        "role-marker", "instruction-like");

    public static readonly PolicySection Paths = new("paths", "arguments", "content", "detect", "rewrite", "access");

    public static readonly PolicySection Urls = new("urls", "allow", "arguments");

    public static readonly PolicySection Sampling = new(
        "sampling", "allow", "maxPromptTokens", "maxTokens", "maxDepth", "confirm", "allowContext", "rateLimit");

    public static readonly PolicySection Elicitation = new("elicitation", "allow", "form", "url", "urls", "maxFields", "rateLimit");

    public static readonly PolicySection Meta = new("meta", "toServer", "fromServer");

    public static readonly PolicySection Secret = new("secret", "secret");

    public static readonly PolicySection EnvironmentReference = new("environmentReference", "secret", "fromHost");

    /// <summary>Every kind of object.</summary>
    public static IReadOnlyList<PolicySection> All { get; } =
    [
        Document, Defaults, Audit, Server, Package, PackageArgument, Isolation, Root, Rule, RateLimit, Budgets, Repeats, Results, Flags, Paths, Urls, Sampling,
        Elicitation, Meta, Secret, EnvironmentReference,
    ];

    /// <summary>What <c>defaults</c> sets for all servers and a server for itself.</summary>
    private static string[] LimitKeys =>
    [
        "confirmation", "rateLimit", "toolTimeout", "consentTimeout", "promptMaxTokens", "requireCaller", "redactArguments", "maxConcurrentCalls",
        "maxConcurrentCallsPerCaller", "maxQueuedCalls", "budgets", "results",
    ];
}
