using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>What a document means: every value arrives, no two meanings share a revision, and the form in which a policy is hashed never changes unseen.</summary>
[TestFixture]
internal sealed partial class PolicyMeaningTests
{
    private static readonly string Full = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json"));

    /// <summary>Keys that mean nothing by design, and those whose other values no document with the rest of the full one may have.</summary>
    private static readonly string[] Silent = ["/$schema", "/description", "/servers/web/description", "/servers/files/rules/readers/description"];

    private static readonly string[] Fixed = ["/servers/own/hostProvided", "/servers/files/environment/LANG/fromHost", "/servers/files/isolation/mode", "/servers/files/isolation/network"];

    private static readonly string[][] Words =
    [
        Of(PolicyWords.Confirmation), Of(PolicyWords.Recording), Of(PolicyWords.Durability), Of(PolicyWords.Overflow), Of(PolicyWords.References), Of(PolicyWords.Framing),
        Of(PolicyWords.Action), Of(PolicyWords.Effect), Of(PolicyWords.Scope), Of(PolicyWords.Detection), Of(PolicyWords.Access), Of(PolicyWords.Isolation),
        Of(PolicyWords.Preset), Of(PolicyWords.Engine), Of(PolicyWords.Transport), Of(PolicyWords.Control),
    ];

    // Audit records, remembered consents and dry runs name revisions that outlive a version of the library. Where this fails and the change is meant, raise "form"
    // in PolicyCanonicalizer and say in CHANGELOG.md that remembered consents are asked again.
    [TestCase("{\"stateDirectory\":\"/var/lib/state\"}", "", "6aca5c59ce47ba999cc41f92977b18224cc210c04b71c93b34cfeb5c7d41c163")]
    [TestCase("full", "", "11d02a0d234e02c03ada775c73b07d207d8f51a94b46bfe5f3986a8837e29383")]
    [TestCase("full", "web", "ef658d20682e0b95b5443c38d49f9a66a617ee4ec9bb07d5ff25fc4f41366d62")]
    [TestCase("full", "files", "015a8fddc3ca2274a99669c2d6fd2f4420369c2e7b7f788036d32d0de83e1d5b")]
    [TestCase("full", "tool", "064cbcf7893033f4bc1caae0f4080c4fc92c4822e42bcad1843eb7f716da8187")]
    [TestCase("full", "dotnet", "84518a7bd12404fa3ececf56f19be713254ac94814b3e1825c17459b00138ae6")]
    [TestCase("full", "own", "66c8aef7b39d1f9db420adfff95ab2580da3f9052b35aa284877ce14f497f5e1")]
    [Platform(Exclude = "Win", Reason = "the paths of the documents are those of Unix")]
    public void Revision_KnownDocument_IsTheOneOfEarlierVersions(string json, string server, string expected)
    {
        PolicySnapshot policy = PolicyTexts.Read(json == "full" ? Full : json);
        Assert.That(server.Length == 0 ? policy.Revision : policy.Servers[server].Revision, Is.EqualTo(expected));
    }

    [TestCaseSource(typeof(PolicySchemaTests), nameof(PolicySchemaTests.Keys))]
    public void Revision_OtherValueForAKey_IsAnother(string pointer)
    {
        var meanings = new List<string> { PolicyTexts.Read(Full).Revision };
        foreach (JsonNode? other in Others(PolicySchemaTests.Find(JsonNode.Parse(Full)!, pointer)))
        {
            JsonNode document = JsonNode.Parse(Full)!;
            PolicySchemaTests.Put(document, pointer, other);
            try
            {
                meanings.Add(PolicyTexts.Read(document.ToJsonString()).Revision);
            }
            catch (McpGuardPolicyException)
            {
                // not a value that this key may have here
            }
        }

        if (Silent.Contains(pointer))
        {
            Assert.That(meanings.Distinct().Count(), Is.EqualTo(1));
            Assert.That(meanings, Has.Count.GreaterThan(1));
            return;
        }

        // How a host's own transport speaks is the host's matter: only whether it is checked means something.
        Assert.That(pointer == "/servers/own/transport" ? meanings.Take(2) : meanings, Is.Unique);
        Assert.That(meanings, Fixed.Contains(pointer) || PolicySchemaTests.Find(JsonNode.Parse(Full)!, pointer) is JsonObject ? Has.Count.EqualTo(1) : Has.Count.GreaterThan(1), "no other value was accepted");
    }

    [Test]
    public void Read_FullDocument_EveryValueIsInTheSnapshot()
    {
        PolicySnapshot policy = PolicyTexts.Read(Full);
        PolicyDefaults defaults = policy.Defaults;
        ServerSettings files = policy.Servers["files"];
        ServerSettings web = policy.Servers["web"];
        Assert.Multiple(() =>
        {
            Assert.That((policy.StateDirectory, policy.PackageStore, policy.AuditDirectory), Is.EqualTo(("/var/lib/mcp-guard-full/state", "/srv/mcp-guard-store", "/var/lib/mcp-guard-full/audit")));
            Assert.That(policy.UnknownWorkingDirectory, Is.EqualTo("/var/lib/mcp-guard-full/state/unknown-working-directory"));
            Assert.That(policy.Protected.Paths, Is.EqualTo(new ProtectedPath[]
            {
                new("/var/lib/mcp-guard-full/state", true, "the guard's state directory (pins, grants, keys)"),
                new("/var/lib/mcp-guard-full/audit", true, "the audit directory"),
                new("/srv/mcp-guard-store", true, "the package store"),
                new("/var/lib/mcp-guard-full/checkpoints/audit.json", false, "the audit's checkpoint file"),
            }));
            Assert.That(policy.SourcePath, Is.Null);
            Assert.That(
                (policy.Audit.RetentionDays, policy.Audit.Arguments, policy.Audit.Results, policy.Audit.Durability, policy.Audit.KeySecret),
                Is.EqualTo((14, ContentRecording.Shape, ContentRecording.None, global::Mcp.Guard.Policy.AuditDurability.Durable, "audit-key")));
            Assert.That((defaults.Confirmation, defaults.ToolTimeout, defaults.ConsentTimeout), Is.EqualTo((ConfirmationMode.Always, TimeSpan.FromSeconds(45), TimeSpan.FromMinutes(5))));
            Assert.That(
                defaults.RateLimit,
                Is.EqualTo(new RateLimitSetting("default", 5, TimeSpan.FromSeconds(2), 10, RateLimitScope.Caller | RateLimitScope.Session | RateLimitScope.Server | RateLimitScope.Tool)));
            Assert.That(
                (defaults.PromptMaxTokens, defaults.RequireCaller, defaults.RedactArguments, defaults.MaxConcurrentCalls, defaults.MaxConcurrentCallsPerCaller, defaults.MaxQueuedCalls),
                Is.EqualTo((4096, (bool?)true, true, 4, 2, 0)));
            Assert.That(defaults.Budgets, Is.EqualTo(new BudgetSettings { Calls = 1000, CallsPerTool = 100, Repeats = 5, RepeatWindow = TimeSpan.FromSeconds(30) }));
            Assert.That(defaults.Results.MaxBytes, Is.EqualTo(1 << 20));

            Assert.That(files.RequireCaller, Is.False);
            Assert.That(files.MaxConcurrentCalls, Is.EqualTo(8));
            Assert.That(files.Limits.RateLimit, Is.EqualTo(new RateLimitSetting("server:files", 10, TimeSpan.FromSeconds(1), 10, RateLimitScope.Caller)));
            Assert.That(files.Limits.Budgets, Is.EqualTo(defaults.Budgets with { Calls = 500 }));
            Assert.That(files.Roots, Is.EqualTo(new GuardRoot[] { new("/srv/project"), new("/srv/shared", RootAccess.Read) }));
            Assert.That(web.Limits, Is.EqualTo(defaults), "what a server does not say is what the defaults say");
            Assert.That(web.Sampling.RateLimit!.Id, Is.EqualTo("sampling:web"));
            Assert.That(web.Elicitation.RateLimit!.Id, Is.EqualTo("elicitation:web"));
            Assert.That(files.ForTool("fetch").Judge(PolicyTexts.NoArguments).RateLimits.Single(), Is.EqualTo(new RateLimitSetting("rule:files/fetch", 1, TimeSpan.FromSeconds(10), 1, RateLimitScope.None)));
            Assert.That(files.Rules.Select(rule => rule.Id), Is.EqualTo(new[] { "documents", "fetch", "mail", "no-moves", "prompts", "readers" }), "in ordinal order");
        });
    }

    [Test]
    public void Read_RateLimitWithoutPermits_HasABurstOfOne() =>
        Assert.That(PolicyTexts.Read("""{"defaults":{"rateLimit":{"permits":0,"per":"1s"}}}""").Defaults.RateLimit, Is.EqualTo(new RateLimitSetting("default", 0, TimeSpan.FromSeconds(1), 1, RateLimitScope.Caller)));

    [TestCase("false", "None")]
    [TestCase("true", "Full")]
    [TestCase("\"loopback\"", "Loopback")]
    public void Read_Network_IsTheWord(string value, string expected) =>
        Assert.That(PolicyTexts.Read("{\"servers\":{\"s\":{\"command\":\"node\",\"isolation\":{\"mode\":\"bubblewrap\",\"network\":" + value + "}}}}").Servers["s"].Isolation!.Network.ToString(), Is.EqualTo(expected));

    [TestCase("hidden-unicode", "report", false)]
    [TestCase("hidden-unicode", "deny", false)]
    [TestCase("hidden-unicode", "ask", true)]
    public void CanAsk_Flags_OnlyWhereAFindingAsks(string flag, string action, bool expected) => Assert.Multiple(() =>
    {
        const string Denied = "\"rules\":{\"a\":{\"tools\":[\"*\"],\"effect\":\"deny\"}}";
        Assert.That(PolicyTexts.Read(PolicyTexts.Server($"\"flags\":{{\"{flag}\":\"{action}\"}},{Denied}")).CanAsk, Is.EqualTo(expected));
        Assert.That(PolicyTexts.Read(PolicyTexts.Server($"\"results\":{{\"flags\":{{\"{flag}\":\"{action}\"}}}},{Denied}")).CanAsk, Is.EqualTo(expected));
    });

    [TestCase("\"b\":{\"resources\":[\"x\"],\"effect\":\"ask\"}", true)]
    [TestCase("\"b\":{\"resources\":[\"x\"],\"effect\":\"allow\"}", false)]
    [TestCase("\"b\":{\"prompts\":[\"x\"],\"effect\":\"allow\"}", false)]
    public void CanAsk_ResourcesAndPrompts_OnlyWhereARuleAsks(string rule, bool expected) =>
        Assert.That(PolicyTexts.Read(PolicyTexts.Server($"\"rules\":{{\"a\":{{\"tools\":[\"*\"],\"effect\":\"deny\"}},{rule}}}")).CanAsk, Is.EqualTo(expected));

    [TestCase("true", true)]
    [TestCase("false", false)]
    public void CanAsk_Sampling_OnlyWhereItIsAllowed(string allowed, bool expected) =>
        Assert.That(PolicyTexts.Read(PolicyTexts.Server($"\"sampling\":{{\"allow\":{allowed}}},\"rules\":{{\"a\":{{\"tools\":[\"*\"],\"effect\":\"deny\"}}}}")).CanAsk, Is.EqualTo(expected));

    [Test]
    public void WithRevision_EverythingElseStays()
    {
        PolicySnapshot policy = PolicyReader.Read(System.Text.Encoding.UTF8.GetBytes("""{"servers":{"s":{"hostProvided":true,"trusted":true}}}"""), "/etc/acme/mcp-guard.json", FakeSchemas.Instance, PolicyTexts.Options);
        PolicySnapshot other = policy.WithRevision("r");
        Assert.That(other.Revision, Is.EqualTo("r"));
        foreach (System.Reflection.PropertyInfo property in typeof(PolicySnapshot).GetProperties().Where(property => property.Name is not (nameof(PolicySnapshot.Revision) or nameof(PolicySnapshot.Warnings))))
        {
            Assert.That(property.GetValue(policy), Is.Not.Null.And.Not.EqualTo(false), property.Name);
            Assert.That(property.GetValue(other), Is.EqualTo(property.GetValue(policy)), property.Name);
        }

        Assert.That(other.Warnings, Is.EqualTo(policy.Warnings).And.Not.Empty);
    }

    /// <summary>Other values of the same kind: most keys take at least one.</summary>
    private static IEnumerable<JsonNode?> Others(JsonNode? value)
    {
        switch (value)
        {
            case JsonArray list:
                yield return list.Count == 0 ? new JsonArray(JsonValue.Create("tool")) : new JsonArray([.. list.SkipLast(1).Select(item => item?.DeepClone())]);
                foreach (JsonNode? last in Others(list.LastOrDefault()))
                {
                    yield return new JsonArray([.. list.SkipLast(1).Select(item => item?.DeepClone()), last]);
                }

                break;
            case JsonValue flag when flag.TryGetValue(out bool truth):
                yield return JsonValue.Create(!truth);
                break;
            case JsonValue number when number.TryGetValue(out decimal count):
                yield return JsonValue.Create(count + 1);
                yield return JsonValue.Create(count - 1);
                break;
            case JsonValue text when text.TryGetValue(out string? word):
                foreach (string other in Words.Where(words => words.Contains(word)).SelectMany(words => words).Distinct().Where(other => other != word))
                {
                    yield return JsonValue.Create(other);
                }

                string[] endings = Digest().IsMatch(word) ? [word[..^1] + "0", word[..^1] + "1"] : Measure().IsMatch(word) ? ["1" + word] : [word + "x", word + "1"];
                foreach (string other in endings)
                {
                    yield return JsonValue.Create(other);
                }

                break;
            default:
                break;
        }
    }

    private static string[] Of<T>((string Word, T Value)[] words) => [.. words.Select(word => word.Word)];

    [GeneratedRegex("[0-9a-f]{64}$")]
    private static partial Regex Digest();

    [GeneratedRegex("^[0-9]+(ms|s|m|h|d|B|KiB|MiB|GiB)$")]
    private static partial Regex Measure();
}
