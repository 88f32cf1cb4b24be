using System.Buffers;
using System.Text.Json;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;

namespace Mcp.Guard.Cli.Checks;

/// <summary>
/// What in an acceptable policy is worth a look, beyond what its reader says: rules that never match or never decide, allows without bounds, boxes that do not fit
/// their roots, and what this machine lacks. Reads the document and the machine; starts nothing.
/// </summary>
internal sealed class PolicyAdvisor(PolicyNode document, PolicyProblems problems)
{
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.*");

    /// <summary>Every warning, those of the reader included, in the order of the document.</summary>
    /// <param name="policy">The policy as read.</param>
    /// <param name="utf8">Its text.</param>
    public static IReadOnlyList<GuardPolicyError> Advise(PolicySnapshot policy, ReadOnlyMemory<byte> utf8)
    {
        var problems = new PolicyProblems(utf8, policy.SourcePath, hasText: true);
        if (PolicyParser.Parse(utf8.Span, problems) is { } document)
        {
            var advisor = new PolicyAdvisor(document, problems);
            foreach (ServerSettings server in policy.Servers.Values.OrderBy(static server => server.Id, StringComparer.Ordinal))
            {
                advisor.Server(server);
            }
        }

        return [.. policy.Advice.Concat(problems.Warnings).OrderBy(static advice => advice.Line).ThenBy(static advice => advice.Column)];
    }

    private void Server(ServerSettings server)
    {
        if (document.Find("servers")?.Find(server.Id) is not { } node)
        {
            return;
        }

        foreach (CompiledRule rule in server.Rules)
        {
            if (node.Find("rules")?.Find(rule.Id) is { } place)
            {
                Rule(server, rule, place);
            }
        }

        if (server.Limits.RateLimit.Permits == 0)
        {
            problems.Warn(Nearest(node, document, "rateLimit"), $"the server {server.Id} may make no call at all: its rate limit has 0 permits", "Raise \"permits\", or remove the server");
        }

        if (server.RequireCaller == false)
        {
            problems.Warn(Nearest(node, document, "requireCaller"), "calls of nobody in particular share grants and rates", "Remove \"requireCaller\": hosts with several users then require one by themselves");
        }

        if (server.Endpoint is UrlEndpoint { AllowPrivate: true })
        {
            problems.Warn(node.Find("allowPrivate") ?? node, "the name of this server may lead to private addresses", "Use it only for a server in your own network");
        }

        if (server.Endpoint is UrlEndpoint { UseEnvironmentProxy: true })
        {
            problems.Warn(node.Find("useEnvironmentProxy") ?? node, "a proxy of the environment sees and resolves what this server is sent", "Remove it where no proxy is needed");
        }

        if (server.Isolation is { Mode: not IsolationMode.None } isolation)
        {
            Box(server, isolation, node);
        }
    }

    /// <summary>A rule that can never match, a rule that always denies without saying so, and an allow that another rule takes away.</summary>
    private void Rule(ServerSettings server, CompiledRule rule, PolicyNode place)
    {
        if (rule.WhenText is { } when && Contradiction(when) is { } never)
        {
            problems.Warn(place.Find("when") ?? place, $"this rule never matches: no arguments satisfy its \"when\" ({never})", "Correct the condition, or remove the rule");
        }

        if (rule.RequireText is { } require && Contradiction(require) is { } always)
        {
            problems.Warn(place.Find("require") ?? place, $"this rule denies every call that it matches: no arguments satisfy its \"require\" ({always})", "Correct the schema, or write \"effect\": \"deny\"");
        }

        Patterns(place.Find("tools"), rule.Tools, static pattern => NeverATool(pattern), "no tool can have such a name (1 to 128 of A-Z a-z 0-9 _ - .)");
        Patterns(
            place.Find("resources"),
            rule.Resources,
            static pattern => pattern.IsExact && !pattern.Pattern.Contains(':', StringComparison.Ordinal),
            "a resource is named by a URI, which has a scheme");
        if (rule.Effect == RuleEffect.Deny)
        {
            return;
        }

        Hidden(server.ToolRules, rule, rule.Tools, place.Find("tools"), RuleEffect.Deny);
        Hidden(server.ResourceRules, rule, rule.Resources, place.Find("resources"), RuleEffect.Deny);
        Hidden(server.PromptRules, rule, rule.Prompts, place.Find("prompts"), RuleEffect.Deny);
        if (rule.Effect == RuleEffect.Allow)
        {
            Hidden(server.ToolRules, rule, rule.Tools, place.Find("tools"), RuleEffect.Ask);
            Hidden(server.ResourceRules, rule, rule.Resources, place.Find("resources"), RuleEffect.Ask);
            Hidden(server.PromptRules, rule, rule.Prompts, place.Find("prompts"), RuleEffect.Ask);
            Unbounded(rule, place);
        }
    }

    private void Patterns(PolicyNode? list, IReadOnlyList<Glob> patterns, Func<Glob, bool> isFaulty, string why)
    {
        for (int i = 0; list is not null && i < patterns.Count && i < list.Items.Count; i++)
        {
            if (isFaulty(patterns[i]))
            {
                problems.Warn(list.Items[i], $"{PolicyText.Quote(patterns[i].Pattern)} never matches: {why}", "Correct the pattern, or remove it");
            }
        }
    }

    private static bool NeverATool(Glob pattern) =>
        pattern.Pattern.AsSpan().ContainsAnyExcept(NameCharacters)
        || pattern.Pattern.Contains("..", StringComparison.Ordinal)
        || pattern.Pattern.Replace("*", string.Empty, StringComparison.Ordinal).Length > ToolNameRules.MaxLength
        || (pattern.IsExact && ToolNameRules.Judge(pattern.Pattern) != ToolNameFault.None);

    /// <summary>Patterns of a rule that a rule without a condition always overrules. One that loses all of them is reported by the reader.</summary>
    private void Hidden(RuleSet rules, CompiledRule rule, IReadOnlyList<Glob> patterns, PolicyNode? list, RuleEffect by)
    {
        if (list is null)
        {
            return;
        }

        CompiledRule?[] over = [.. patterns.Select(pattern => rules.Covering(pattern.Pattern).FirstOrDefault(other => other.Effect == by && other.When is null))];
        bool isWhole = over.All(static other => other is not null) && rule.Tools.Count + rule.Resources.Count + rule.Prompts.Count == patterns.Count;
        if (isWhole && by == RuleEffect.Deny)
        {
            return;
        }

        for (int i = 0; i < patterns.Count && i < list.Items.Count; i++)
        {
            if (over[i] is not { } other)
            {
                continue;
            }

            string pattern = PolicyText.Quote(patterns[i].Pattern);
            string id = PolicyText.Quote(other.Id);
            if (by == RuleEffect.Deny)
            {
                problems.Warn(list.Items[i], $"{pattern} is hidden: rule {id} denies everything it stands for", $"Remove it here, or narrow rule {id}");
            }
            else
            {
                problems.Warn(list.Items[i], $"{pattern} is asked about all the same: rule {id} asks, and asking beats allowing", $"Remove it here, or narrow rule {id}");
            }
        }
    }

    private void Unbounded(CompiledRule rule, PolicyNode place)
    {
        int at = rule.Tools.ToList().FindIndex(static pattern => pattern.Pattern == "*");
        if (at >= 0 && rule is { When: null, Require: null } && place.Find("tools") is { } list && at < list.Items.Count)
        {
            problems.Warn(list.Items[at], "every pinned tool of this server passes without a question, whatever it does", "Name the tools that were reviewed");
        }
    }

    /// <summary>A box that does not fit the roots, and what this machine cannot give it.</summary>
    private void Box(ServerSettings server, IsolationSettings isolation, PolicyNode node)
    {
        PolicyNode place = node.Find("isolation") ?? node;
        if (isolation.Network == NetworkAccess.Full)
        {
            problems.Warn(place.Find("network") ?? place, "this server may connect to anything: nothing judges where", "Remove \"network\", or keep what it can read to what may leave the machine");
        }

        foreach (string writable in isolation.Writable)
        {
            if (!server.Roots.Any(root => root.Access == RootAccess.ReadWrite && PathTrail.IsSameOrBelow(writable, root.Path)))
            {
                problems.Warn(place.Find("writable") ?? place, $"the server may write {PolicyText.QuotePath(writable)} by itself, which is in no root that calls may write", "Make it a root, or remove it");
            }
        }

        foreach (GuardRoot root in server.Roots)
        {
            if (root.Access == RootAccess.ReadWrite && !isolation.Writable.Any(writable => PathTrail.IsSameOrBelow(root.Path, writable) || PathTrail.IsSameOrBelow(writable, root.Path)))
            {
                problems.Warn(
                    node.Find("roots") ?? node,
                    $"calls may write the root {PolicyText.QuotePath(root.Path)}, and the server's box shows it read-only",
                    "Add it to isolation.writable, or give the root \"access\": \"read\"");
            }
        }
    }

    private static PolicyNode Nearest(PolicyNode server, PolicyNode document, string key) =>
        server.Find(key) ?? document.Find("defaults")?.Find(key) ?? server;

    private static string? Contradiction(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = PolicyParser.MaxDepth + 1 });
        return SchemaContradiction.OfArguments(document.RootElement);
    }

    /// <summary>What of each server this machine lacks: a box, a program, a package, a secret. One line a server; nothing is started.</summary>
    public static IEnumerable<(string Server, string Problem)> OfThisMachine(PolicySnapshot policy, McpGuardHost guard)
    {
        foreach (ServerSettings server in policy.Servers.Values.OrderBy(static server => server.Id, StringComparer.Ordinal))
        {
            foreach (string name in MissingSecrets(server))
            {
                yield return (server.Id, $"the environment has no secret '{name}'; without another resolver the server is not connected to");
            }

            if (server.Endpoint is not (CommandEndpoint or PackageEndpoint))
            {
                continue;
            }

            string? problem = null;
            try
            {
                guard.DescribeIsolation(server.Id);
            }
            catch (McpGuardException refused)
            {
                problem = refused.Message;
            }

            if (problem is not null)
            {
                yield return (server.Id, problem);
            }
        }
    }

    private static IEnumerable<string> MissingSecrets(ServerSettings server)
    {
        IEnumerable<KeyValuePair<string, PolicyValue>> values = server.Endpoint switch
        {
            CommandEndpoint command => command.Environment,
            PackageEndpoint package => package.Environment,
            UrlEndpoint url => url.Headers,
            _ => [],
        };
        return values.Select(static value => value.Value.FromHost ? value.Key : value.Value.Secret)
            .Where(static name => name is not null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
            .Select(static name => name!)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
    }
}
