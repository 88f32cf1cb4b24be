using System.Collections.Frozen;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Policy;

/// <summary>One reading of one document: the part that all servers share. Values that are wrong are reported, and the reading goes on with defaults.</summary>
internal sealed partial class PolicyReading(
    ReadOnlyMemory<byte> utf8, PolicyNode root, string? sourcePath, ISchemaCompiler schemas, PolicyReadOptions options, PolicyProblems problems)
{
    private const int MaxServers = 1_000;

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly string? _baseDirectory = sourcePath is null ? options.BaseDirectory : Path.GetDirectoryName(sourcePath);

    /// <summary>The snapshot; null only after an error.</summary>
    public PolicySnapshot? Read()
    {
        if (SectionReader.Open(root, PolicySection.Document, problems) is not { } document)
        {
            return null;
        }

        document.Text("$schema");
        document.Text("description");
        PolicyDefaults defaults = PolicyDefaults.Recommended;
        if (document.Section("defaults", PolicySection.Defaults) is { } section)
        {
            defaults = ReadLimits(section, defaults, "default");
        }

        AuditSettings audit = ReadAudit(document);
        string? state = document.Find("stateDirectory") is { } stateNode ? FolderPath(stateNode) : options.StateDirectory ?? GuardStateDirectory.Default();
        if (state is null)
        {
            if (!problems.HasErrors)
            {
                problems.Error(root, "the guard has no place for its own files: the user has no home directory", "Name one in \"stateDirectory\"");
            }

            return null;
        }

        string auditDirectory = audit.Directory ?? Path.Combine(state, "audit");
        string packageStore = document.Find("packageStore") is { } storeNode ? FolderPath(storeNode) ?? string.Empty : Path.Combine(state, "packages");
        if (packageStore.Length == 0)
        {
            return null;
        }

        var protectedPaths = new ProtectedPaths(OwnFiles(state, auditDirectory, packageStore, audit));
        var servers = new Dictionary<string, ServerSettings>(StringComparer.Ordinal);
        if (document.Find("servers") is { } map && SectionReader.Is(map, JsonValueKind.Object, problems))
        {
            if (map.Members.Count > MaxServers)
            {
                problems.Error(map, $"there are {map.Members.Count} servers", $"At most {MaxServers} are permitted");
            }

            foreach (PolicyMember member in map.Members)
            {
                if (problems.IsFull)
                {
                    break;
                }

                if (!PolicyText.IsId(member.Name, 64))
                {
                    problems.Error(member.NameStart, member.Value.Pointer(), $"{PolicyText.Quote(member.Name)} is no server id", IdFix(64));
                }

                if (ReadServer(member, defaults, protectedPaths) is { } server)
                {
                    servers[member.Name] = server;
                }
            }
        }

        if (problems.HasErrors)
        {
            return null;
        }

        return new()
        {
            Revision = PolicyCanonicalizer.Revision(defaults, audit, state, packageStore, servers.Values),
            Defaults = defaults,
            Audit = audit,
            ServersById = servers.ToFrozenDictionary(StringComparer.Ordinal),
            SourcePath = sourcePath,
            StateDirectory = state,
            PackageStore = packageStore,
            AuditDirectory = auditDirectory,
            Protected = protectedPaths,
            CanAsk = servers.Values.Any(CanAsk),
            Advice = [.. problems.Warnings],
        };
    }

    /// <summary>An unruled tool call can ask, and so can any allow by glob: only a server whose tools are all denied, and that has no other way, cannot.</summary>
    private static bool CanAsk(ServerSettings server) =>
        !server.ToolRules.DeniesAll(rule => rule.Tools)
        || server.ResourceRules.CanAsk
        || server.PromptRules.CanAsk
        || server.Sampling.Allowed
        || server.Elicitation.Allowed
        || server.Flags.Values.Contains(FlagAction.Ask)
        || server.Limits.Results.Flags.Values.Contains(FlagAction.Ask);

    private static string IdFix(int longest) => $"Use 1 to {longest} letters, digits, '.', '_' or '-', the first a letter or digit";

    private IEnumerable<ProtectedPath> OwnFiles(string state, string auditDirectory, string packageStore, AuditSettings audit)
    {
        if (sourcePath is not null)
        {
            yield return new(sourcePath, IsDirectory: false, "the policy file");
        }

        yield return new(state, IsDirectory: true, "the guard's state directory (pins, grants, keys)");
        yield return new(auditDirectory, IsDirectory: true, "the audit directory");
        yield return new(packageStore, IsDirectory: true, "the package store");
        if (audit.CheckpointFile is not null)
        {
            yield return new(audit.CheckpointFile, IsDirectory: false, "the audit's checkpoint file");
        }

        foreach (ProtectedPath path in options.AlsoProtected)
        {
            yield return path;
        }
    }

    /// <summary>What <c>defaults</c> sets for all servers and a server for itself.</summary>
    private PolicyDefaults ReadLimits(SectionReader section, PolicyDefaults basis, string limitId) => basis with
    {
        Confirmation = section.Word("confirmation", PolicyWords.Confirmation) ?? basis.Confirmation,
        RateLimit = ReadRateLimit(section, limitId) ?? basis.RateLimit,
        ToolTimeout = section.Duration("toolTimeout", Millisecond, Day) ?? basis.ToolTimeout,
        ConsentTimeout = section.Duration("consentTimeout", Millisecond, Day) ?? basis.ConsentTimeout,
        PromptMaxTokens = section.Integer("promptMaxTokens", 1, 10_000_000) ?? basis.PromptMaxTokens,
        RequireCaller = section.Flag("requireCaller") ?? basis.RequireCaller,
        RedactArguments = section.Flag("redactArguments") ?? basis.RedactArguments,
        MaxConcurrentCalls = section.Integer("maxConcurrentCalls", 1, 100_000) ?? basis.MaxConcurrentCalls,
        MaxConcurrentCallsPerCaller = section.Integer("maxConcurrentCallsPerCaller", 1, 100_000) ?? basis.MaxConcurrentCallsPerCaller,
        MaxQueuedCalls = section.Integer("maxQueuedCalls", 0, 100_000) ?? basis.MaxQueuedCalls,
        Budgets = ReadBudgets(section, basis.Budgets),
        Results = section.Section("results", PolicySection.Results) is { } results ? ReadResults(results).Over(basis.Results) : basis.Results,
    };

    private BudgetSettings ReadBudgets(SectionReader parent, BudgetSettings basis)
    {
        if (parent.Section("budgets", PolicySection.Budgets) is not { } section)
        {
            return basis;
        }

        BudgetSettings budgets = basis with
        {
            Calls = section.Long("calls", 0, 1_000_000_000_000) ?? basis.Calls,
            CallsPerTool = section.Long("callsPerTool", 0, 1_000_000_000_000) ?? basis.CallsPerTool,
        };
        if (section.Section("repeats", PolicySection.Repeats) is { } repeats)
        {
            int? permits = repeats.Integer("permits", 1, 1_000_000);
            TimeSpan? per = repeats.Duration("per", Millisecond, Day);
            RequireKey(repeats, "permits");
            RequireKey(repeats, "per");
            budgets = budgets with { Repeats = permits ?? basis.Repeats, RepeatWindow = per ?? basis.RepeatWindow };
        }

        return budgets;
    }

    private RateLimitSetting? ReadRateLimit(SectionReader parent, string limitId)
    {
        if (parent.Section("rateLimit", PolicySection.RateLimit) is not { } section)
        {
            return null;
        }

        RequireKey(section, "permits");
        RequireKey(section, "per");
        long? permits = section.Long("permits", 0, 1_000_000L * 86_400);
        TimeSpan? window = section.Duration("per", Millisecond, Day);
        long? burst = section.Long("burst", 1, 1_000_000L * 86_400);
        RateLimitScope by = RateLimitScope.Caller;
        if (section.List("by", 0, 4) is { } parts)
        {
            by = RateLimitScope.None;
            foreach (PolicyNode part in parts)
            {
                if (section.TryWord(part, PolicyWords.Scope, out RateLimitScope scope))
                {
                    if (by.HasFlag(scope))
                    {
                        problems.Error(part, $"{PolicyText.Quote(part.Text!)} is listed twice", "Keep one of the two");
                    }

                    by |= scope;
                }
            }
        }

        if (permits is null || window is null)
        {
            return null;
        }

        if (permits.Value > 1_000_000 * window.Value.TotalSeconds)
        {
            problems.Error(section.Node, "this is more than 1,000,000 permits a second", "Lower \"permits\" or lengthen \"per\"");
            return null;
        }

        return new(limitId, permits.Value, window.Value, burst ?? Math.Max(1, permits.Value), by);
    }

    private ResultOverrides ReadResults(SectionReader section) => new()
    {
        MaxBytes = section.Size("maxBytes", 1, MessageLimits.MaxResultBytes),
        MaxItems = section.Integer("maxItems", 1, 10_000_000),
        MaxDepth = section.Integer("maxDepth", 1, MessageLimits.MaxDepth),
        Overflow = section.Word("overflow", PolicyWords.Overflow),
        RemoteReferences = section.Word("remoteReferences", PolicyWords.References),
        LinksWithQuery = section.Word("linksWithQuery", PolicyWords.References),
        AllowedHosts = ReadHosts(section)?.ToFrozenSet(StringComparer.Ordinal),
        MediaTypes = ReadMediaTypes(section)?.ToFrozenSet(StringComparer.Ordinal),
        MediaMaxBytes = section.Size("mediaMaxBytes", 1, MessageLimits.MaxResultBytes),
        Framing = section.Word("framing", PolicyWords.Framing),
        Redact = section.Flag("redact"),
        Flags = ReadFlags(section),
    };

    private List<string>? ReadHosts(SectionReader section)
    {
        if (section.Texts("allowedHosts", 1_000, 255) is not { } hosts)
        {
            return null;
        }

        PolicyNode node = section.Find("allowedHosts")!;
        foreach (PolicyNode item in node.Items)
        {
            if (item.Text is { } host && !UrlShape.IsHostPattern(host))
            {
                problems.Error(item, $"{PolicyText.Quote(host)} is no host", "Write a lower-case host name, or \"*.\" and a name, without scheme, port and path");
            }
        }

        return hosts;
    }

    private List<string>? ReadMediaTypes(SectionReader section)
    {
        if (section.Texts("mediaTypes", 100, 100) is not { } types)
        {
            return null;
        }

        PolicyNode node = section.Find("mediaTypes")!;
        foreach (PolicyNode item in node.Items)
        {
            if (item.Text is { } type && !MediaCheck.CanTell(type))
            {
                problems.Error(item, $"{PolicyText.Quote(type)} is no type of image or audio that the guard can check", $"Use one of {string.Join(", ", MediaCheck.Types)}");
            }
        }

        return types;
    }

    private static FrozenDictionary<ContentFindings, FlagAction>? ReadFlags(SectionReader parent)
    {
        if (parent.Section("flags", PolicySection.Flags) is not { } section)
        {
            return null;
        }

        var flags = new Dictionary<ContentFindings, FlagAction>();
        foreach ((string word, ContentFindings finding) in PolicyWords.Finding)
        {
            if (section.Word(word, PolicyWords.Action) is { } action)
            {
                flags[finding] = action;
            }
        }

        return flags.ToFrozenDictionary();
    }

    private AuditSettings ReadAudit(SectionReader document)
    {
        var audit = new AuditSettings();
        if (document.Section("audit", PolicySection.Audit) is not { } section)
        {
            return audit;
        }

        audit = audit with
        {
            Directory = section.Find("directory") is { } directory ? FolderPath(directory) : null,
            RetentionDays = section.Integer("retentionDays", 1, 36_500) ?? audit.RetentionDays,
            Arguments = section.Word("arguments", PolicyWords.Recording) ?? audit.Arguments,
            Results = section.Word("results", PolicyWords.Recording) ?? audit.Results,
            Durability = section.Word("durability", PolicyWords.Durability) ?? audit.Durability,
            KeySecret = section.Section("key", PolicySection.Secret) is { } key ? ReadSecret(key) : null,
            CheckpointFile = section.Find("checkpoints") is { } checkpoints ? FolderPath(checkpoints) : null,
        };
        if (audit.RetentionDays is < 7 or > 30)
        {
            problems.Warn(section.Find("retentionDays")!, $"the audit is kept {audit.RetentionDays} days", "7 to 30 are recommended");
        }

        if (section.Find("durability") is { } durability && audit.Durability == AuditDurability.BestEffort)
        {
            problems.Warn(durability, "records can be lost without stopping calls", "Use \"flushed\" where every call must have its record");
        }

        return audit;
    }

    private string? ReadSecret(SectionReader section)
    {
        RequireKey(section, "secret");
        if (section.Text("secret", 128) is not { } name)
        {
            return null;
        }

        if (!PolicyText.IsId(name, 128))
        {
            problems.Error(section.Find("secret")!, $"{PolicyText.Quote(name)} is no name of a secret", IdFix(128));
            return null;
        }

        return name;
    }

    private void RequireKey(SectionReader section, string key)
    {
        if (section.Find(key) is null)
        {
            problems.Error(section.Node, $"\"{key}\" is missing", $"Add \"{key}\"");
        }
    }

    /// <summary>An absolute path; a relative one starts at the policy file's folder. Links are not resolved here.</summary>
    private string? FolderPath(PolicyNode node)
    {
        if (SectionReader.Text(node, problems) is not { } text)
        {
            return null;
        }

        if (text[0] == '~')
        {
            problems.Error(node, "'~' is not expanded", "Write the whole path");
            return null;
        }

        if (char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]))
        {
            problems.Error(node, "this path begins or ends with a blank", "Remove the blank");
            return null;
        }

        if (!Path.IsPathFullyQualified(text) && _baseDirectory is null)
        {
            problems.Error(node, $"the path {PolicyText.Quote(text)} is relative, and this policy is in no file", "Write an absolute path");
            return null;
        }

        try
        {
            string full = Path.GetFullPath(text, _baseDirectory ?? Path.GetPathRoot(text)!);
            string trimmed = Path.TrimEndingDirectorySeparator(full);
            return trimmed.Length == 0 ? full : trimmed;
        }
        catch (Exception e) when (e is ArgumentException or IOException or NotSupportedException)
        {
            problems.Error(node, $"this is no path: {e.Message}", "Write an absolute path");
            return null;
        }
    }
}
