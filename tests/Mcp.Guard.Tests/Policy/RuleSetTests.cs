using System.Text.Json;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>What rules say without a call at hand: whether they can ask, deny everything, look at arguments; and that names that nobody can bound are kept in bounds.</summary>
[TestFixture]
internal sealed class RuleSetTests
{
    [TestCase("", false, false, false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"ask\"}", true, false, false)]
    [TestCase("\"a\":{\"prompts\":[\"p\"],\"effect\":\"ask\"}", false, false, true)]
    [TestCase("\"a\":{\"resources\":[\"r\"],\"effect\":\"ask\"},\"b\":{\"resources\":[\"r\"],\"effect\":\"allow\"}", false, true, false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"prompts\":[\"p\"],\"effect\":\"allow\"}", false, false, false)]
    public void CanAsk_IsOfTheKindOfTargetAlone(string rules, bool tools, bool resources, bool prompts)
    {
        ServerSettings server = PolicyTexts.WithRules(rules);
        Assert.That((server.ToolRules.CanAsk, server.ResourceRules.CanAsk, server.PromptRules.CanAsk), Is.EqualTo((tools, resources, prompts)));
    }

    [TestCase("", true, true)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\"}", false, true)]
    [TestCase("\"a\":{\"prompts\":[\"p\"],\"effect\":\"allow\"}", true, false)]
    public void IsEmpty_WithoutRulesForTheKindOfTarget(string rules, bool tools, bool prompts)
    {
        ServerSettings server = PolicyTexts.WithRules(rules);
        Assert.That((server.ToolRules.IsEmpty, server.PromptRules.IsEmpty), Is.EqualTo((tools, prompts)));
    }

    [TestCase("", false)]
    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"deny\"}", true)]
    [TestCase("\"a\":{\"tools\":[\"t\",\"*\"],\"effect\":\"deny\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"allow\"}", true)]
    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"ask\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"deny\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"*\"],\"effect\":\"deny\",\"when\":true}", false)]
    [TestCase("\"a\":{\"tools\":[\"t*\",\"*t\"],\"effect\":\"deny\"}", false)]
    public void DeniesAll_OnlyByARuleWithoutConditionForEveryName(string rules, bool expected) =>
        Assert.That(PolicyTexts.WithRules(rules).ToolRules.DeniesAll(static rule => rule.Tools), Is.EqualTo(expected));

    [Test]
    public void Covering_FindsTheRulesThatCoverAWholePattern()
    {
        RuleSet rules = PolicyTexts.WithRules(
            "\"all\":{\"tools\":[\"*\"],\"effect\":\"ask\"},\"reads\":{\"tools\":[\"read_*\",\"read*\"],\"effect\":\"allow\"},\"one\":{\"tools\":[\"read_a\"],\"effect\":\"allow\"}").ToolRules;
        Assert.Multiple(() =>
        {
            Assert.That(rules.Covering("read_*").Select(static rule => rule.Id), Is.EquivalentTo(new[] { "all", "reads" }));
            Assert.That(rules.Covering("read_a").Select(static rule => rule.Id), Is.EquivalentTo(new[] { "all", "reads", "one" }));
            Assert.That(rules.Covering("*").Select(static rule => rule.Id), Is.EquivalentTo(new[] { "all" }));
        });
    }

    [TestCase("", false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\"}", false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":true}", true)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"require\":true}", true)]
    [TestCase("\"a\":{\"tools\":[\"u\"],\"effect\":\"allow\",\"require\":true}", false)]
    public void LooksAtArguments_WhereARuleHasAConditionOrARequirement(string rules, bool expected) =>
        Assert.That(PolicyTexts.WithRules(rules).ForTool("t").LooksAtArguments, Is.EqualTo(expected));

    [TestCase("", true, false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"deny\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":true}", false, false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"ask\"}", true, true)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\"}", false, false)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":true},\"c\":{\"tools\":[\"t\"],\"effect\":\"deny\",\"when\":true}", true, true)]
    [TestCase("\"a\":{\"tools\":[\"t\"],\"effect\":\"allow\"},\"c\":{\"tools\":[\"t\"],\"effect\":\"deny\",\"when\":true}", false, false)]
    [TestCase("\"b\":{\"tools\":[\"t\"],\"effect\":\"allow\",\"when\":true}", true, false)]
    public void CanAsk_OfATarget_WhereSomeCallIsAsked(string rules, bool askedByDefault, bool notAskedByDefault)
    {
        TargetRules target = PolicyTexts.WithRules(rules).ForTool("t");
        Assert.That((target.CanAsk(true), target.CanAsk(false)), Is.EqualTo((askedByDefault, notAskedByDefault)));
    }

    [Test]
    public void For_NamesOfTheLongestKeptLength_AreKept()
    {
        ServerSettings server = PolicyTexts.WithRules("\"a\":{\"tools\":[\"x*\"],\"effect\":\"deny\"}");
        string name = new('x', RuleSet.MaxCachedNameLength);
        Assert.That(server.ForTool(name), Is.SameAs(server.ForTool(name)));
        Assert.That(server.ForTool("unnamed"), Is.SameAs(server.ForTool("another")), "names that no rule names share one word");
    }

    [Test]
    public void For_AsManyNamesAsAreKept_StayKept_AndOneMoreBeginsAnew()
    {
        ServerSettings server = PolicyTexts.WithRules("\"a\":{\"tools\":[\"x*\"],\"effect\":\"deny\"}");
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < RuleSet.MaxCachedNames; i++)
            {
                server.ForTool($"x{round}-{i}");
            }

            Assert.That(server.ToolRules.CachedNames, Is.EqualTo(RuleSet.MaxCachedNames), $"round {round}");
            server.ForTool($"x{round}-more");
            Assert.That(server.ToolRules.CachedNames, Is.Zero, $"round {round}");
        }
    }

    [Test]
    public void Judge_MoreConditionsThanAreCombinedOnce_TellsEveryCombinationApart()
    {
        TargetRules target = PolicyTexts.WithRules(string.Join(',', Enumerable.Range(0, 10).Select(static i => $"\"r{i}\":{{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":{{\"$fake\":\"flag:f{i}\"}}}}"))).ForTool("t");
        Assert.Multiple(() =>
        {
            foreach (int i in (int[])[0, 7, 8, 9, 8, 0])
            {
                Assert.That(target.Judge(JsonElement.Parse($"{{\"f{i}\":true}}")).RuleIds, Is.EqualTo(new[] { $"r{i}" }));
            }

            Assert.That(target.Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.None));
        });
    }

    [Test]
    public void Judge_EightConditions_TellsEveryCombinationApart()
    {
        TargetRules target = PolicyTexts.WithRules(string.Join(',', Enumerable.Range(0, 8).Select(static i => $"\"r{i}\":{{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":{{\"$fake\":\"flag:f{i}\"}}}}"))).ForTool("t");
        Assert.Multiple(() =>
        {
            for (int mask = 0; mask < 256; mask++)
            {
                int[] set = [.. Enumerable.Range(0, 8).Where(i => (mask & (1 << i)) != 0)];
                RuleVerdict verdict = target.Judge(JsonElement.Parse("{" + string.Join(',', set.Select(static i => $"\"f{i}\":true")) + "}"));
                Assert.That(string.Join(',', verdict.RuleIds), Is.EqualTo(string.Join(',', set.Select(static i => $"r{i}"))));
            }
        });
    }

    [Test]
    public void Judge_TwoConditionsWithoutAnswer_NamesTheFirst()
    {
        RuleVerdict verdict = PolicyTexts.WithRules(
            "\"b\":{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":{\"$fake\":\"limit\"}},\"c\":{\"tools\":[\"t\"],\"effect\":\"ask\",\"when\":{\"$fake\":\"throw\"}}").ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Reason, string.Join(',', verdict.RuleIds)), Is.EqualTo(("the condition of rule b could not be judged", "b")));
    }

    [Test]
    public void Judge_DeniedWhateverTheArguments_AsksNoCondition()
    {
        RuleVerdict verdict = PolicyTexts.WithRules(
            "\"a\":{\"tools\":[\"t\"],\"effect\":\"deny\"},\"b\":{\"tools\":[\"t\"],\"effect\":\"deny\",\"when\":true}").ForTool("t").Judge(PolicyTexts.NoArguments);
        Assert.That((verdict.Reason, string.Join(',', verdict.RuleIds)), Is.EqualTo(("denied by rule a", "a")));
    }
}
