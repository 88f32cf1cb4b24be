using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class RuleTests
{
    private const string Allow = "\"allow\":{\"tools\":[\"t\"],\"effect\":\"allow\"}";
    private const string Ask = "\"ask\":{\"tools\":[\"t\"],\"effect\":\"ask\"}";
    private const string Deny = "\"deny\":{\"tools\":[\"t\"],\"effect\":\"deny\"}";

    [TestCase("", RuleEffect.None, "", "")]
    [TestCase(Allow, RuleEffect.Allow, "", "allow")]
    [TestCase(Ask, RuleEffect.Ask, "", "ask")]
    [TestCase(Deny, RuleEffect.Deny, "rule-denied", "deny")]
    [TestCase(Allow + "," + Ask, RuleEffect.Ask, "", "ask")]
    [TestCase(Ask + "," + Deny, RuleEffect.Deny, "rule-denied", "deny")]
    [TestCase(Deny + "," + Allow, RuleEffect.Deny, "rule-denied", "deny")]
    [TestCase(Deny + ",\"deny2\":{\"tools\":[\"t\"],\"effect\":\"deny\"}", RuleEffect.Deny, "rule-denied", "deny,deny2")]
    [TestCase(Allow + ",\"allow2\":{\"tools\":[\"t\"],\"effect\":\"allow\"}", RuleEffect.Allow, "", "allow,allow2")]
    [TestCase("\"z\":{\"tools\":[\"t\"],\"effect\":\"ask\"},\"B\":{\"tools\":[\"t*\"],\"effect\":\"ask\"}," + Allow, RuleEffect.Ask, "", "B,z")]
    public void Judge_Effects_DenyBeatsAskBeatsAllow(string rules, RuleEffect effect, string code, string ids)
    {
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Effect, verdict.Code, string.Join(',', verdict.RuleIds)), Is.EqualTo((effect, code, ids)));
        Assert.That(verdict.RuleIdsText, Is.EqualTo(ids.Length == 0 ? null : ids), "what records name");
        string named = ids.Replace(",", ", ", StringComparison.Ordinal);
        Assert.That(verdict.Reason, Is.EqualTo(effect switch
        {
            RuleEffect.Deny => $"denied by rule {named}",
            RuleEffect.Ask => $"rule {named} asks",
            RuleEffect.Allow => $"allowed by rule {named}",
            _ => "no rule matches",
        }));
    }

    [Test]
    public void Default_Verdict_Denies()
    {
        RuleVerdict verdict = default;
        Assert.Multiple(() =>
        {
            Assert.That(verdict.Effect, Is.EqualTo(RuleEffect.Deny));
            Assert.That(verdict.Code, Is.EqualTo(GuardDenialCodes.GuardFault));
            Assert.That(verdict.Reason, Is.EqualTo("the rules were not judged"));
            Assert.That(verdict.RuleIds, Is.Empty);
            Assert.That(verdict.RuleIdsText, Is.Null);
            Assert.That(verdict.RateLimits, Is.Empty);
            Assert.That(verdict.Errors, Is.Empty);
            Assert.That(verdict.IsGlobAllow, Is.False);
        });
    }

    [TestCase("limit")]
    [TestCase("malformed")]
    [TestCase("none")]
    [TestCase("throw")]
    public void Judge_ConditionWithoutAnswer_DeniesAsAFault(string script)
    {
        string rules = Allow + ",\"c\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":{\"$fake\":\"" + script + "\"}}";
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Effect, verdict.Code, verdict.RuleIds.Single()), Is.EqualTo((RuleEffect.Deny, "guard-fault", "c")));
        Assert.That(verdict.RuleIdsText, Is.EqualTo("c"));
    }

    [Test]
    public void Judge_FaultBesideADeny_IsDeniedByTheRule()
    {
        string rules = Deny.Replace("\"effect\"", "\"when\":true,\"effect\"", StringComparison.Ordinal) + ",\"c\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":{\"$fake\":\"limit\"}}";
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Effect, verdict.Code, verdict.RuleIds.Single()), Is.EqualTo((RuleEffect.Deny, "rule-denied", "deny")));
    }

    [TestCase("invalid")]
    [TestCase("limit")]
    [TestCase("malformed")]
    [TestCase("none")]
    [TestCase("throw")]
    public void Judge_RequirementNotValid_DeniesTheArguments(string script)
    {
        string rules = "\"r\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"require\":{\"$fake\":\"" + script + "\"}}";
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Effect, verdict.Code, verdict.RuleIds.Single()), Is.EqualTo((RuleEffect.Deny, "arguments-invalid", "r")));
        Assert.That(verdict.Errors, Has.Count.EqualTo(script == "throw" ? 0 : 3));
    }

    [Test]
    public void Judge_SeveralBrokenRequirements_GivesAtMostFiveReasonsAndAllRules()
    {
        string rules = string.Join(',', Enumerable.Range(0, 4).Select(i => $"\"r{i}\":{{\"tools\":[\"t\"],\"effect\":\"allow\",\"require\":false}}"));
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That(verdict.Errors, Has.Count.EqualTo(5));
        Assert.That(verdict.RuleIds, Is.EqualTo(new[] { "r0", "r1", "r2", "r3" }));
        Assert.That(verdict.Reason, Is.EqualTo("the arguments break what rule r0, r1, r2, r3 requires"));
    }

    [Test]
    public void Judge_RequirementOfARuleThatDoesNotMatch_IsNotChecked()
    {
        string rules = Allow + ",\"r\":{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":false,\"require\":false}";
        Assert.That(PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.Allow));
    }

    [Test]
    public void Judge_UndefinedArguments_CountAsNone()
    {
        string rules = "\"r\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":{\"$fake\":\"flag:a\"}}";
        Assert.That(PolicyTexts.WithRules(rules).ForTool("t").Judge(default).Effect, Is.EqualTo(RuleEffect.None));
    }

    [Test]
    public void Judge_UndefinedArguments_AreAnEmptyObjectToTheLibrarysOwnEngine()
    {
        string policy = PolicyTexts.Server("\"rules\":{\"r\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":{\"type\":\"object\",\"maxProperties\":0},\"require\":{\"type\":\"object\"}}}");
        ServerSettings server = PolicyReader.Read(System.Text.Encoding.UTF8.GetBytes(policy), null, new Mcp.Guard.Stages.Schema.BuiltInSchemaCompiler(), PolicyTexts.Options).Servers["s"];
        Assert.That(server.ForTool("t").Judge(default).Effect, Is.EqualTo(RuleEffect.Allow));
    }

    [Test]
    public void Judge_RequirementOfALosingRule_StillHolds()
    {
        string rules = Ask + ",\"r\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"require\":false}";
        Assert.That(PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments).Code, Is.EqualTo("arguments-invalid"));
    }

    [TestCase("\"a\":{\"tools\":[\"t*\"],\"effect\":\"allow\"}", true)]
    [TestCase("\"a\":{\"tools\":[\"t*\",\"tool\"],\"effect\":\"allow\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"t*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"tool\"],\"effect\":\"allow\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"t*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"*l\"],\"effect\":\"allow\"}", true)]
    [TestCase("\"a\":{\"tools\":[\"t*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"tool\"],\"effect\":\"ask\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"t*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"tool\"],\"effect\":\"allow\",\"when\":false}", true)]
    public void Judge_AllowByPattern_IsMarked(string rules, bool expected) =>
        Assert.That(PolicyTexts.WithRules(rules).ForTool("tool").Judge(PolicyTexts.NoArguments).IsGlobAllow, Is.EqualTo(expected));

    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"deny\"}", true)]
    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"deny\",\"when\":true}", false)]
    [TestCase("\"a\":{\"resources\":[\"*\"],\"effect\":\"deny\"}", false)]
    [TestCase("\"a\":{\"prompts\":[\"t\"],\"effect\":\"deny\"}", false)]
    public void IsDenied_OnlyWithoutACondition(string rules, bool expected) =>
        Assert.That(PolicyTexts.WithRules(rules).ForTool("t").IsDenied, Is.EqualTo(expected));

    [Test]
    public void ForResourceAndPrompt_UseTheirOwnPatterns()
    {
        ServerSettings server = PolicyTexts.WithRules(
            "\"r\":{\"resources\":[\"file:///srv/*\"],\"effect\":\"deny\"},\"p\":{\"prompts\":[\"*\"],\"effect\":\"ask\"},\"t\":{\"tools\":[\"*\"],\"effect\":\"allow\"}");
        Assert.Multiple(() =>
        {
            Assert.That(server.ForResource("file:///srv/a").IsDenied, Is.True);
            Assert.That(server.ForResource("FILE:///srv/a").IsDenied, Is.False, "patterns are ordinal");
            Assert.That(server.ForPrompt("x").Judge(default).Effect, Is.EqualTo(RuleEffect.Ask));
            Assert.That(server.ForTool("file:///srv/a").Judge(default).Effect, Is.EqualTo(RuleEffect.Allow));
        });
    }

    [Test]
    public void Judge_SeveralRules_TheStricterValueWins()
    {
        const string Loose = """
            "a":{"tools":["t"],"effect":"allow","destructive":false,"timeout":"2m","timeoutWithProgress":"10m","rateLimit":{"permits":9,"per":"1s"},
             "paths":{"arguments":["/x"],"content":["/c","/d"],"detect":"declared","access":"read"},
             "urls":["https://a.example","https://b.example"],
             "results":{"maxBytes":"2MiB","maxItems":50,"maxDepth":9,"overflow":"cut","remoteReferences":"keep","allowedHosts":["a.example","b.example"],"framing":"envelope","redact":false,
              "flags":{"bidi":"deny","control":"report"}}}
            """;
        const string Strict = """
            "b":{"tools":["*"],"effect":"allow","destructive":true,"timeout":"1m","timeoutWithProgress":"5m","rateLimit":{"permits":1,"per":"1m"},
             "paths":{"arguments":["/y"],"content":["/d"],"detect":"auto","access":"readWrite","rewrite":true},
             "urls":{"allow":["https://b.example"]},
             "results":{"maxBytes":"1MiB","maxItems":70,"maxDepth":7,"overflow":"deny","remoteReferences":"remove","allowedHosts":["b.example","c.example"],"framing":"datamark","redact":true,
              "flags":{"bidi":"report","control":"ask","terminal":"deny"}}}
            """;
        foreach (string rules in (string[])[Loose + "," + Strict, Strict + "," + Loose])
        {
            RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(PolicyTexts.NoArguments);
            Assert.Multiple(() =>
            {
                Assert.That(verdict.Destructive, Is.True);
                Assert.That(verdict.Timeout, Is.EqualTo(TimeSpan.FromMinutes(1)));
                Assert.That(verdict.TimeoutWithProgress, Is.EqualTo(TimeSpan.FromMinutes(5)));
                Assert.That(verdict.RateLimits.Select(limit => (limit.Id, limit.Permits)), Is.EqualTo(new[] { ("rule:s/a", 9L), ("rule:s/b", 1L) }));
                Assert.That(verdict.Paths!.Arguments, Is.EqualTo(new[] { "/x", "/y" }));
                Assert.That(verdict.Paths.Content, Is.EqualTo(new[] { "/d" }));
                Assert.That((verdict.Paths.Detection, verdict.Paths.Rewrite, verdict.Paths.Access), Is.EqualTo((PathDetection.Auto, true, RootAccess.ReadWrite)));
                Assert.That(verdict.Urls!.Lists.Select(list => string.Join('|', list.Patterns)), Is.EqualTo(new[] { "https://a.example|https://b.example", "https://b.example" }));
                ResultSettings results = verdict.Results!;
                Assert.That((results.MaxBytes, results.MaxItems, results.MaxDepth), Is.EqualTo((1L << 20, 50, 7)));
                Assert.That((results.Overflow, results.RemoteReferences, results.Framing, results.Redact), Is.EqualTo((ResultOverflow.Deny, RemoteReferences.Remove, ResultFraming.Datamark, true)));
                Assert.That(results.AllowedHosts, Is.EquivalentTo(new[] { "b.example" }));
                Assert.That(
                    results.Flags,
                    Is.EquivalentTo(new Dictionary<ContentFindings, FlagAction>
                    {
                        [ContentFindings.Bidi] = FlagAction.Deny,
                        [ContentFindings.Control] = FlagAction.Ask,
                        [ContentFindings.Terminal] = FlagAction.Deny,
                    }));
            });
        }
    }

    [Test]
    public void Judge_TimeoutWithoutExtension_EndsEveryExtension()
    {
        RuleVerdict verdict = PolicyTexts.WithRules(
            "\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"timeout\":\"1m\",\"timeoutWithProgress\":\"1h\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"timeout\":\"5m\"}")
            .ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Timeout, verdict.TimeoutWithProgress), Is.EqualTo((TimeSpan.FromMinutes(1), (TimeSpan?)null)));
    }

    [Test]
    public void Judge_TimeoutsWithExtensions_KeepTheShorterExtension([Values(1, 2, 3)] int rules)
    {
        RuleVerdict verdict = PolicyTexts.WithRules(string.Join(',', Enumerable.Range(1, rules).Select(static i =>
                $"\"r{i}\":{{\"tools\":[\"t\"],\"effect\":\"allow\",\"timeout\":\"{i}m\",\"timeoutWithProgress\":\"{i}h\"}}")))
            .ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Timeout, verdict.TimeoutWithProgress), Is.EqualTo((TimeSpan.FromMinutes(1), TimeSpan.FromHours(1))));
    }

    [TestCase("true", "false", true)]
    [TestCase("false", "true", true)]
    [TestCase("true", "true", true)]
    [TestCase("false", "false", false)]
    [TestCase("false", null, false)]
    [TestCase(null, "true", true)]
    [TestCase(null, null, null)]
    public void Judge_WordsAboutDanger_TheMoreDangerousHolds(string? first, string? second, bool? expected)
    {
        string Rule(string id, string? said) => $"\"{id}\":{{\"tools\":[\"t\"],\"effect\":\"allow\"" + (said is null ? "" : $",\"destructive\":{said}") + "}";
        Assert.That(PolicyTexts.WithRules(Rule("a", first) + "," + Rule("b", second)).ForTool("t").Judge(PolicyTexts.NoArguments).Destructive, Is.EqualTo(expected));
    }

    [Test]
    public void Judge_RuleWithoutValuesBesideOneWithValues_TakesNothingAway([Values("a", "z")] string plain)
    {
        RuleVerdict verdict = PolicyTexts.WithRules(
            "\"m\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"paths\":{\"arguments\":[\"/x\"]},\"urls\":[\"https://a.example\"],\"results\":{\"maxItems\":5}},"
            + $"\"{plain}\":{{\"tools\":[\"t\"],\"effect\":\"allow\"}}").ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.Multiple(() =>
        {
            Assert.That(verdict.Paths!.Arguments, Is.EqualTo(new[] { "/x" }));
            Assert.That(verdict.Urls!.Lists, Has.Count.EqualTo(1));
            Assert.That(verdict.Results!.MaxItems, Is.EqualTo(5));
        });
    }

    [Test]
    public void Judge_RuleWithoutValues_LeavesTheServersDefaults()
    {
        RuleVerdict verdict = PolicyTexts.WithRules(Allow).ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That(
            (verdict.Destructive, verdict.Timeout, verdict.Paths, verdict.Urls, verdict.Results, verdict.RateLimits.Count),
            Is.EqualTo(((bool?)null, (TimeSpan?)null, (PathSettings?)null, (UrlSettings?)null, (ResultSettings?)null, 0)));
    }

    [TestCase(true)]
    [TestCase(false)]
    [Category("Allocation")]
    public void Judge_AllowPath_AllocatesNothing(bool isRead)
    {
        ServerSettings server = PolicyTexts.WithRules(Allow + ",\"c\":{\"tools\":[\"*\"],\"effect\":\"ask\",\"when\":false},\"d\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":true,\"require\":true}");
        // A call's arguments are read once, before anybody judges them.
        RequestPayload call = RequestPayload.OfArguments(JsonElement.Parse("{\"a\":false}"));
        if (isRead)
        {
            Assert.That(MessageSnapshot.TryReadRequest("""{"name":"t","arguments":{"a":false}}"""u8, out call, out _) && call.TryFindArguments(), Is.True);
        }

        bool allowed = true;
        long allocated = long.MaxValue;
        // The first round compiles and fills the caches; the second is what every later call costs.
        for (int round = 0; round < 2; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1_000; i++)
            {
                allowed &= server.ForTool("t").JudgeCall(call).Effect == RuleEffect.Allow;
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.That((allocated, allowed), Is.EqualTo((0L, true)));
    }

    [Test]
    public void Judge_HundredsOfConditions_CombinesAsFewDo()
    {
        string rules = string.Join(',', Enumerable.Range(0, 300).Select(i => $"\"r{i:000}\":{{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":{{\"$fake\":\"flag:f{i}\"}}}}"));
        RuleVerdict verdict = PolicyTexts.WithRules(rules).ForTool("t").Judge(JsonElement.Parse("{\"f3\":true,\"f299\":true}"));
        Assert.That(verdict.RuleIds, Is.EqualTo(new[] { "r003", "r299" }));
    }

    [Test]
    public void For_ManyMadeUpNames_KeepsABoundedNumber()
    {
        ServerSettings server = PolicyTexts.WithRules("\"a\":{\"tools\":[\"x*\"],\"effect\":\"deny\"}");
        for (int i = 0; i < 3 * RuleSet.MaxCachedNames; i++)
        {
            Assert.That(server.ForTool($"x{i}").IsDenied, Is.True);
        }

        Assert.That(server.ToolRules.CachedNames, Is.LessThanOrEqualTo(RuleSet.MaxCachedNames));
        string longName = new('x', RuleSet.MaxCachedNameLength + 1);
        Assert.That(server.ForTool(longName).IsDenied, Is.True);
        Assert.That(server.ForTool(longName), Is.Not.SameAs(server.ForTool(longName)), "a long name is judged and not kept");
    }

    [Test]
    public void Read_TenThousandRules_JudgesTheRightOne()
    {
        string rules = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"r{i}\":{{\"tools\":[\"tool_{i}\",\"p{i}_*\",\"*_s{i}\"],\"effect\":\"deny\"}}"));
        ServerSettings server = PolicyTexts.WithRules(rules);
        Assert.Multiple(() =>
        {
            Assert.That(server.ForTool("tool_9999").Judge(default).RuleIds, Is.EqualTo(new[] { "r9999" }));
            Assert.That(server.ForTool("p77_x_s78").Judge(default).RuleIds, Is.EqualTo(new[] { "r77", "r78" }));
            Assert.That(server.ForTool("tool_10000").Judge(default).Effect, Is.EqualTo(RuleEffect.None));
        });
    }

    [Test]
    public void Judge_RandomRules_IsWhatASlowReferenceSays() =>
        Prop.ForAll(Scenarios().ToArbitrary(), scenario =>
        {
            RuleVerdict verdict = Read(scenario.Rules).ForTool(scenario.Tool).Judge(JsonElement.Parse(scenario.Arguments));
            (RuleEffect effect, string code) = Reference(scenario);
            return verdict.Effect == effect && verdict.Code == code;
        }).Check(Properties.Config());

    [Test]
    public void Judge_AddedDeny_NeverAllowsMore() =>
        Prop.ForAll(Scenarios().Zip(RandomRule()).ToArbitrary(), pair =>
        {
            (Scenario scenario, RandomRuleText added) = pair;
            RuleVerdict before = Read(scenario.Rules).ForTool(scenario.Tool).Judge(JsonElement.Parse(scenario.Arguments));
            RuleVerdict after = Read([.. scenario.Rules, added with { Effect = "deny", Require = null }]).ForTool(scenario.Tool).Judge(JsonElement.Parse(scenario.Arguments));
            return after.Effect == RuleEffect.Deny || (before.Effect == after.Effect && before.Effect != RuleEffect.Deny);
        }).Check(Properties.Config());

    [Test]
    public void Judge_ShuffledRules_GivesTheSameVerdictAndRevision() =>
        Prop.ForAll(Scenarios().Zip(Gen.Choose(0, int.MaxValue)).ToArbitrary(), pair =>
        {
            (Scenario scenario, int seed) = pair;
            // Rules get their ids before they are shuffled: the ids are what they are known by.
            (RandomRuleText Rule, int Id)[] shuffled = [.. scenario.Rules.Select((rule, id) => (rule, id))];
            new Random(seed).Shuffle(shuffled);
            ServerSettings one = Read(scenario.Rules);
            ServerSettings two = PolicyTexts.WithRules(string.Join(',', shuffled.Select(rule => rule.Rule.Json(rule.Id))));
            RuleVerdict a = one.ForTool(scenario.Tool).Judge(JsonElement.Parse(scenario.Arguments));
            RuleVerdict b = two.ForTool(scenario.Tool).Judge(JsonElement.Parse(scenario.Arguments));
            return one.Revision == two.Revision && a.Effect == b.Effect && a.Code == b.Code && a.RuleIds.SequenceEqual(b.RuleIds) && a.IsGlobAllow == b.IsGlobAllow;
        }).Check(Properties.Config());

    private static ServerSettings Read(IReadOnlyList<RandomRuleText> rules) => PolicyTexts.WithRules(string.Join(',', rules.Select((rule, id) => rule.Json(id))));

    private static (RuleEffect Effect, string Code) Reference(Scenario scenario)
    {
        JsonElement arguments = JsonElement.Parse(scenario.Arguments);
        var matched = new List<RandomRuleText>();
        bool fault = false;
        foreach (RandomRuleText rule in scenario.Rules.Where(rule => rule.Patterns.Any(pattern => GlobTests.SlowMatch(pattern, scenario.Tool))))
        {
            switch (Outcome(rule.When, arguments))
            {
                case true: matched.Add(rule); break;
                case false: break;
                default: fault = true; break;
            }
        }

        if (matched.Any(rule => rule.Effect == "deny"))
        {
            return (RuleEffect.Deny, "rule-denied");
        }

        if (fault)
        {
            return (RuleEffect.Deny, "guard-fault");
        }

        if (matched.Any(rule => rule.Require is not null && Outcome(rule.Require, arguments) != true))
        {
            return (RuleEffect.Deny, "arguments-invalid");
        }

        return (matched.Any(rule => rule.Effect == "ask") ? RuleEffect.Ask : matched.Count > 0 ? RuleEffect.Allow : RuleEffect.None, string.Empty);
    }

    private static bool? Outcome(string? script, JsonElement arguments) => script switch
    {
        null or "valid" => true,
        "invalid" => false,
        "limit" => null,
        _ => arguments.TryGetProperty(script["flag:".Length..], out JsonElement flag) && flag.ValueKind == JsonValueKind.True,
    };

    private static Gen<Scenario> Scenarios() =>
        from count in Gen.Choose(0, 12)
        from rules in Gen.ArrayOf(RandomRule(), count)
        from tool in Gen.Elements("", "a", "b", "ab", "ba", "aba", "read_a", "read_b", "a_read")
        from arguments in Gen.Elements("{}", "{\"a\":true}", "{\"b\":true}", "{\"a\":true,\"b\":true}", "{\"a\":1}")
        select new Scenario(rules, tool, arguments);

    private static Gen<RandomRuleText> RandomRule() =>
        from count in Gen.Choose(1, 3)
        from patterns in Gen.ArrayOf(Gen.Elements("*", "a", "b", "a*", "*a", "a*a", "*b*", "read_*", "*read", "read_a", "c"), count)
        from effect in Gen.Elements("deny", "ask", "ask", "allow", "allow")
        from when in Gen.Elements(null, null, "valid", "invalid", "limit", "flag:a", "flag:b")
        from require in Gen.Elements(null, null, null, "valid", "invalid", "flag:a", "limit")
        select new RandomRuleText([.. patterns.Distinct()], effect, when, effect == "deny" ? null : require);

    private sealed record Scenario(RandomRuleText[] Rules, string Tool, string Arguments);

    private sealed record RandomRuleText(string[] Patterns, string Effect, string? When, string? Require)
    {
        public string Json(int id) =>
            $"\"r{id}\":{{\"tools\":[{string.Join(',', Patterns.Select(pattern => $"\"{pattern}\""))}],\"effect\":\"{Effect}\""
            + (When is null ? "" : $",\"when\":{{\"$fake\":\"{When}\"}}") + (Require is null ? "" : $",\"require\":{{\"$fake\":\"{Require}\"}}") + "}";
    }
}
