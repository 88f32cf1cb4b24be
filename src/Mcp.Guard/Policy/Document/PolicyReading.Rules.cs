using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Policy;

/// <summary>The rules of one server.</summary>
internal sealed partial class PolicyReading
{
    private const int MaxRules = 100_000;
    private const int MaxPatterns = 10_000;
    private const int MaxStars = 16;

    private static readonly SearchValues<char> ForeignWildcards = SearchValues.Create("?[]{}");

    private List<CompiledRule> ReadRules(SectionReader server, string serverId)
    {
        var rules = new List<CompiledRule>();
        if (server.Find("rules") is not { } map || !SectionReader.Is(map, JsonValueKind.Object, problems))
        {
            return rules;
        }

        if (map.Members.Count > MaxRules)
        {
            problems.Error(map, $"there are {map.Members.Count} rules", $"At most {MaxRules} are permitted for one server");
            return rules;
        }

        foreach (PolicyMember member in map.Members)
        {
            if (problems.IsFull)
            {
                break;
            }

            if (!PolicyText.IsId(member.Name, 128))
            {
                problems.Error(member.NameStart, member.Value.Pointer(), $"{PolicyText.Quote(member.Name)} is no rule id", IdFix(128));
            }

            if (SectionReader.Open(member.Value, PolicySection.Rule, problems) is { } section)
            {
                rules.Add(ReadRule(section, member.Name, serverId));
            }
        }

        return rules;
    }

    private CompiledRule ReadRule(SectionReader section, string id, string serverId)
    {
        section.Text("description");
        RequireKey(section, "effect");
        RuleEffect effect = section.Word("effect", PolicyWords.Effect) ?? RuleEffect.Deny;
        List<Glob> tools = ReadGlobs(section, "tools", 512, isName: true);
        List<Glob> resources = ReadGlobs(section, "resources", 4_096, isName: false);
        List<Glob> prompts = ReadGlobs(section, "prompts", 512, isName: true);
        if (section.Find("tools") is null && section.Find("resources") is null && section.Find("prompts") is null)
        {
            problems.Error(section.Node, "this rule selects nothing", "Add \"tools\", \"resources\" or \"prompts\"");
        }

        (CompiledSchema? when, string? whenText) = ReadSchema(section, "when");
        (CompiledSchema? require, string? requireText) = ReadSchema(section, "require");
        TimeSpan? timeout = section.Duration("timeout", Millisecond, Day);
        TimeSpan? withProgress = section.Duration("timeoutWithProgress", Millisecond, Day);
        if (section.Find("timeoutWithProgress") is { } extension && (section.Find("timeout") is null || withProgress < timeout))
        {
            problems.Error(extension, "progress can only extend a \"timeout\" that is shorter", "Add a shorter \"timeout\", or remove this key");
        }

        var rule = new CompiledRule
        {
            Id = id,
            Effect = effect,
            Tools = tools,
            Resources = resources,
            Prompts = prompts,
            When = when,
            WhenText = whenText,
            Require = require,
            RequireText = requireText,
            Destructive = section.Flag("destructive"),
            RateLimit = ReadRateLimit(section, $"rule:{serverId}/{id}"),
            Timeout = timeout,
            TimeoutWithProgress = withProgress,
            Paths = ReadPaths(section),
            Urls = ReadUrls(section),
            Results = section.Section("results", PolicySection.Results) is { } results ? ReadResults(results) : null,
        };
        RefuseMeaningless(section, rule);
        return rule;
    }

    /// <summary>A key that can have no effect is a misunderstanding, and a misunderstood policy is refused.</summary>
    private void RefuseMeaningless(SectionReader section, CompiledRule rule)
    {
        if (rule.Effect == RuleEffect.Deny && section.Find("effect") is not null)
        {
            foreach (string key in (ReadOnlySpan<string>)["require", "destructive", "rateLimit", "timeout", "timeoutWithProgress", "paths", "urls", "results"])
            {
                if (section.Find(key) is { } node)
                {
                    problems.Error(node, $"\"{key}\" has no meaning in a rule that denies", "Remove it, or put it into a rule that asks or allows");
                }
            }
        }

        if (rule.Resources.Count > 0)
        {
            foreach (string key in (ReadOnlySpan<string>)["when", "require"])
            {
                if (section.Find(key) is { } node)
                {
                    problems.Error(node, $"\"{key}\" judges arguments, and resources have none", "Put tools and resources into rules of their own");
                }
            }
        }

        if (rule.Tools.Count == 0)
        {
            foreach (string key in (ReadOnlySpan<string>)["destructive", "paths", "urls"])
            {
                if (section.Find(key) is { } node)
                {
                    problems.Error(node, $"\"{key}\" is about tools, and this rule selects none", "Remove it, or add \"tools\"");
                }
            }
        }
    }

    private List<Glob> ReadGlobs(SectionReader section, string key, int longest, bool isName)
    {
        var globs = new List<Glob>();
        if (section.Find(key) is null || section.Texts(key, MaxPatterns, longest, least: 1) is not { } texts)
        {
            return globs;
        }

        foreach (PolicyNode item in section.Find(key)!.Items)
        {
            if (item.Text is { } pattern && item.Kind == JsonValueKind.String && FaultOfGlob(pattern, isName) is { } fault)
            {
                problems.Error(item, $"{PolicyText.Quote(pattern)} is no pattern: {fault}", "'*' stands for any text, everything else for itself");
            }
        }

        globs.AddRange(texts.Select(text => new Glob(text)));
        return globs;
    }

    private static string? FaultOfGlob(string pattern, bool isName)
    {
        if (pattern.Length == 0)
        {
            return null;
        }

        if (char.IsWhiteSpace(pattern[0]) || char.IsWhiteSpace(pattern[^1]))
        {
            return "it begins or ends with a blank";
        }

        if (pattern.Contains("**", StringComparison.Ordinal))
        {
            return "'**' means no more than '*'";
        }

        if (pattern.AsSpan().Count('*') > MaxStars)
        {
            return $"it has more than {MaxStars} '*'";
        }

        // In a URI these characters stand for themselves; in a name they show that another notation was meant.
        return isName && pattern.AsSpan().IndexOfAny(ForeignWildcards) >= 0 ? "'?', '[' and '{' are no wildcards here" : null;
    }

    private (CompiledSchema? Schema, string? Text) ReadSchema(SectionReader section, string key)
    {
        if (section.Find(key) is not { } node)
        {
            return default;
        }

        if (node.Kind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
        {
            problems.Error(node, $"this must be a JSON Schema, and is {SectionReader.NameOf(node.Kind)}", "Write an object, true or false");
            return default;
        }

        SchemaCompilation compilation;
        try
        {
            compilation = schemas.Compile(utf8.Span[node.Start..node.End], new SchemaOptions { Use = SchemaUse.Fragment });
        }
        catch (Exception e)
        {
            problems.Error(node, $"the schema engine failed on this schema ({e.GetType().Name})", "Simplify the schema, or correct the engine that the host put in");
            return default;
        }

        if (!compilation.IsCompiled)
        {
            SchemaRejection rejection = compilation.Rejection;
            problems.Error(node.Nearest(rejection.Location), $"the schema is refused ({rejection.Code}): {rejection.Message}", "Correct the schema");
            return default;
        }

        return (compilation.Schema, Canonical(node));
    }

    /// <summary>The schema with sorted keys and without white space: what decides whether two spellings are one policy.</summary>
    private static string Canonical(PolicyNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            PolicyCanonicalizer.Write(writer, node);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private PathSettings? ReadPaths(SectionReader parent)
    {
        if (parent.Find("paths") is not { } node)
        {
            return null;
        }

        if (node.Kind == JsonValueKind.Array)
        {
            return new() { Arguments = ReadPointers(node) };
        }

        if (SectionReader.Open(node, PolicySection.Paths, problems) is not { } section)
        {
            return null;
        }

        var basis = new PathSettings();
        var paths = new PathSettings
        {
            Arguments = section.Find("arguments") is { } arguments ? ReadPointers(arguments) : [],
            Content = section.Find("content") is { } content ? ReadPointers(content) : [],
            Detection = section.Word("detect", PolicyWords.Detection) ?? basis.Detection,
            Rewrite = section.Flag("rewrite") ?? basis.Rewrite,
            Access = section.Word("access", PolicyWords.Access) ?? basis.Access,
        };
        foreach (string both in paths.Arguments.Intersect(paths.Content, StringComparer.Ordinal))
        {
            problems.Error(node, $"{PolicyText.Quote(both)} is both a path and content", "Keep one of the two");
        }

        return paths;
    }

    private UrlSettings? ReadUrls(SectionReader parent)
    {
        if (parent.Find("urls") is not { } node)
        {
            return null;
        }

        if (node.Kind == JsonValueKind.Array)
        {
            return new([new(ReadUrlPatterns(node), [])]);
        }

        if (SectionReader.Open(node, PolicySection.Urls, problems) is not { } section)
        {
            return null;
        }

        RequireKey(section, "allow");
        return new(
        [
            new(
                section.Find("allow") is { } allow ? ReadUrlPatterns(allow) : [],
                section.Find("arguments") is { } arguments ? ReadPointers(arguments) : []),
        ]);
    }

    private List<string> ReadUrlPatterns(PolicyNode node)
    {
        var patterns = new List<string>();
        foreach (PolicyNode item in Elements(node, 1_000))
        {
            if (SectionReader.Text(item, problems) is not { } pattern)
            {
                continue;
            }

            string? fault = UrlShape.FaultOfPattern(pattern) ?? options.UrlPatternFault?.Invoke(pattern);
            if (fault is not null)
            {
                problems.Error(item, $"{PolicyText.Quote(pattern)} is no URL pattern: {fault}", "Write scheme, host and optional path, as in \"https://*.example.com/v1\"");
            }

            patterns.Add(pattern);
        }

        return patterns;
    }

    /// <summary>JSON Pointers in which a token <c>*</c> stands for every member or element.</summary>
    private List<string> ReadPointers(PolicyNode node)
    {
        var pointers = new List<string>();
        foreach (PolicyNode item in Elements(node, 1_000))
        {
            if (SectionReader.Text(item, problems) is not { } pointer)
            {
                continue;
            }

            if (pointer[0] != '/' || HasBadEscape(pointer))
            {
                problems.Error(item, $"{PolicyText.Quote(pointer)} is no JSON Pointer", "Start with '/', and write '~' as \"~0\" and '/' in a name as \"~1\", as in \"/files/*/path\"");
            }
            else if (pointers.Contains(pointer, StringComparer.Ordinal))
            {
                problems.Error(item, $"{PolicyText.Quote(pointer)} is listed twice", "Keep one of the two");
            }

            pointers.Add(pointer);
        }

        pointers.Sort(StringComparer.Ordinal);
        return pointers;
    }

    private List<PolicyNode> Elements(PolicyNode node, int most)
    {
        if (!SectionReader.Is(node, JsonValueKind.Array, problems))
        {
            return [];
        }

        if (node.Items.Count > most)
        {
            problems.Error(node, $"this list has {node.Items.Count} elements", $"At most {most} are permitted");
            return [];
        }

        return node.Items;
    }

    private static bool HasBadEscape(string pointer)
    {
        for (int i = 0; i < pointer.Length; i++)
        {
            if (pointer[i] == '~' && (i + 1 == pointer.Length || pointer[i + 1] is not ('0' or '1')))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A rule whose every pattern is denied without a condition never has a word.</summary>
    private void WarnOfHiddenRules(SectionReader server, List<CompiledRule> rules, ServerSettings settings)
    {
        if (!rules.Any(rule => rule is { Effect: RuleEffect.Deny, When: null }))
        {
            return;
        }

        foreach (CompiledRule rule in rules.Where(rule => rule.Effect != RuleEffect.Deny))
        {
            bool hidden = rule.Tools.All(pattern => DenierOf(settings.ToolRules, pattern) is not null)
                && rule.Resources.All(pattern => DenierOf(settings.ResourceRules, pattern) is not null)
                && rule.Prompts.All(pattern => DenierOf(settings.PromptRules, pattern) is not null);
            if (hidden && server.Find("rules")!.Find(rule.Id) is { } node)
            {
                IEnumerable<string> deniers = rule.Tools.Select(pattern => DenierOf(settings.ToolRules, pattern))
                    .Concat(rule.Resources.Select(pattern => DenierOf(settings.ResourceRules, pattern)))
                    .Concat(rule.Prompts.Select(pattern => DenierOf(settings.PromptRules, pattern)))
                    .Select(denier => PolicyText.Quote(denier!.Id)).Distinct(StringComparer.Ordinal).Take(5);
                problems.Warn(node, $"everything this rule selects is denied by other rules: {string.Join(", ", deniers)}", "Remove this rule, or narrow the rules that deny");
            }
        }
    }

    private static CompiledRule? DenierOf(RuleSet rules, Glob pattern) =>
        rules.Covering(pattern.Pattern).FirstOrDefault(rule => rule is { Effect: RuleEffect.Deny, When: null });
}
