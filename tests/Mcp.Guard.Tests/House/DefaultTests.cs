using System.Text.Json;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Tests.Policy;

namespace Mcp.Guard.Tests.House;

/// <summary>What holds where nobody says anything. The one place that asserts the recommended defaults.</summary>
[TestFixture]
internal sealed class DefaultTests
{
    private static readonly ServerSettings Server = PolicyTexts.Read(PolicyTexts.Server("")).Servers["s"];

    [Test]
    public void Confirmation_IsOn_AndEveryToolCountsAsDestructive()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Server.Limits.Confirmation, Is.EqualTo(ConfirmationMode.Destructive));
            Assert.That(Server.Trusted, Is.False);
            Assert.That(ToolDanger.Weigh(default, serverIsTrusted: false, policyDestructive: null).IsDestructive, Is.True);
            Assert.That(default(ToolDanger).IsDestructive, Is.True);
            Assert.That(Server.ForTool("any").Judge(PolicyTexts.NoArguments).Effect, Is.EqualTo(RuleEffect.None), "no rule allows");
        });
    }

    [Test]
    public void Rate_IsThreeCallsASecondAndCaller()
    {
        RateLimitSetting rate = Server.Limits.RateLimit;
        Assert.That((rate.Permits, rate.Window, rate.Burst, rate.By), Is.EqualTo((3L, TimeSpan.FromSeconds(1), 3L, RateLimitScope.Caller)));
    }

    [Test]
    public void Prompts_HaveAtMost2048Tokens() => Assert.That(Server.Limits.PromptMaxTokens, Is.EqualTo(2048));

    [Test]
    public void Calls_TakeAtMostThirtySeconds_AndPeopleTwoMinutes() =>
        Assert.That((Server.Limits.ToolTimeout, Server.Limits.ConsentTimeout), Is.EqualTo((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2))));

    [TestCase(null, 30, false)]
    [TestCase(6, 6, true)]
    [TestCase(7, 7, false)]
    [TestCase(30, 30, false)]
    [TestCase(31, 31, true)]
    public void Audit_IsKeptThirtyDays_AndSevenToThirtyGiveNoWarning(int? days, int kept, bool warns)
    {
        PolicySnapshot policy = PolicyTexts.Read(days is null ? "{}" : $"{{\"audit\":{{\"retentionDays\":{days}}}}}");
        Assert.Multiple(() =>
        {
            Assert.That(policy.Audit.RetentionDays, Is.EqualTo(kept));
            Assert.That(policy.Warnings, Has.Count.EqualTo(warns ? 1 : 0));
            Assert.That((policy.Audit.Arguments, policy.Audit.Results, policy.Audit.Durability), Is.EqualTo((ContentRecording.Redacted, ContentRecording.Redacted, Guard.Policy.AuditDurability.Flushed)));
        });
    }

    [Test]
    public void Servers_MayAskNothing_AndReachNothing()
    {
        Assert.Multiple(() =>
        {
            Assert.That(PolicyTexts.Read("{}").Servers, Is.Empty, "no server is connected to");
            Assert.That(Server.Sampling.Allowed, Is.False);
            Assert.That(Server.Elicitation.Allowed, Is.False);
            Assert.That(Server.AllowCompletion, Is.False);
            Assert.That(Server.Roots, Is.Empty);
        });
    }

    [Test]
    public async Task Isolation_MustBeSpelledOut_OrNothingIsStarted()
    {
        await using var guard = new GuardFixture(static _ => { }, policy: static policy => policy.Server("started", static server => server.Command("/usr/bin/true")));
        McpGuardException refused = (await Assert.ThrowsAsync<McpGuardException>(() => guard.Guard.ConnectAsync("started")))!;
        Assert.That(refused.Message, Does.Contain("\"isolation\": { \"mode\": \"none\" }"));
    }

    [Test]
    public void PublishedSchema_SaysTheSameDefaults()
    {
        using JsonDocument schema = JsonDocument.Parse(Checkout.Read("docs/mcp-guard.schema.json"));
        JsonElement definitions = schema.RootElement.GetProperty("$defs");
        JsonElement Of(string definition, string key) => definitions.GetProperty(definition).GetProperty("properties").GetProperty(key);
        Assert.Multiple(() =>
        {
            Assert.That(Of("defaults", "confirmation").GetProperty("default").GetString(), Is.EqualTo("destructive"));
            Assert.That(Of("defaults", "promptMaxTokens").GetProperty("default").GetInt32(), Is.EqualTo(Server.Limits.PromptMaxTokens));
            Assert.That(Of("defaults", "toolTimeout").GetProperty("default").GetString(), Is.EqualTo("30s"));
            Assert.That(Of("defaults", "consentTimeout").GetProperty("default").GetString(), Is.EqualTo("2m"));
            Assert.That(Of("defaults", "maxConcurrentCalls").GetProperty("default").GetInt32(), Is.EqualTo(Server.Limits.MaxConcurrentCalls));
            Assert.That(Of("defaults", "maxConcurrentCallsPerCaller").GetProperty("default").GetInt32(), Is.EqualTo(Server.Limits.MaxConcurrentCallsPerCaller));
            Assert.That(Of("defaults", "maxQueuedCalls").GetProperty("default").GetInt32(), Is.EqualTo(Server.Limits.MaxQueuedCalls));
            Assert.That(Of("defaults", "rateLimit").GetProperty("description").GetString(), Does.Contain("3 in a second for each caller"));
            Assert.That(Of("audit", "retentionDays").GetProperty("default").GetInt32(), Is.EqualTo(30));
            Assert.That(Of("server", "trusted").GetProperty("default").GetBoolean(), Is.False);
        });
    }

    [Test]
    public void Readme_SaysTheSameDefaults()
    {
        string readme = Checkout.Read("README.md");
        string section = readme[readme.IndexOf("## Defaults", StringComparison.Ordinal)..];
        Assert.Multiple(() =>
        {
            foreach (string said in (string[])["Confirmation on", "destructive unless", "3 tool calls a second and caller", "30 seconds a call", "2048 tokens", "kept 30 days"])
            {
                Assert.That(section, Does.Contain(said));
            }
        });
    }
}
