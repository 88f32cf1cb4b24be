using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Stages.Rules;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>Which limits a request is charged to, under which key, and what becomes of the store's answer.</summary>
[TestFixture]
internal sealed class RateLimitStageTests
{
    private const string ToolsCall = "tools/call";
    private const string Echo = """{"name":"echo"}""";
    private static readonly GuardCaller Ada = new("ada", "s1");

    [TestCase(ToolsCall, Echo, true)]
    [TestCase("resources/read", """{"uri":"notes://a"}""", true)]
    [TestCase("resources/subscribe", """{"uri":"notes://a"}""", true)]
    [TestCase("prompts/get", """{"name":"p"}""", false)]
    [TestCase("tools/list", "{}", false)]
    [TestCase("ping", "{}", false)]
    [TestCase("completion/complete", "{}", false)]
    public async Task Evaluate_KindOfRequest_CallsAndResourcesAreCharged(string method, string parameters, bool isCharged)
    {
        await using var guard = Guard();
        var store = new Store();
        GuardDecision decision = await JudgeAsync(guard, store, method, parameters);
        Assert.That(decision.Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That(store.Charged, Has.Count.EqualTo(isCharged ? 1 : 0));
    }

    [Test]
    public async Task Evaluate_ContinuedCall_WasChargedWithItsFirstRequest()
    {
        await using var guard = Guard();
        var store = new Store { Answer = new RateLimitLease(false, null, "l") };
        RequestContext context = Context(guard, ToolsCall, Echo);
        context.Continues = Continued.After(context);
        Assert.That((await new RateLimitStage(store).EvaluateAsync(context, default)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        Assert.That(store.Charged, Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Evaluate_NoRuleWithALimit_ChargesTheServersDefault(bool judged)
    {
        await using var guard = Guard("""{"all":{"effect":"allow","tools":["echo"]}}""");
        var store = new Store();
        await JudgeAsync(guard, store, ToolsCall, Echo, judged: judged);
        RateLimitCharge charge = store.Charged.Single().Single();
        Assert.That((charge.Permits, charge.Window), Is.EqualTo((5L, TimeSpan.FromSeconds(7))));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(16)]
    public async Task Evaluate_RulesWithLimits_AllAreChargedTogetherAndNotTheDefault(int rules)
    {
        await using var guard = Guard(Rules(rules));
        var store = new Store();
        Assert.That((await JudgeAsync(guard, store, ToolsCall, Echo)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
        RateLimitCharge[] charges = store.Charged.Single();
        Assert.That(charges.Select(charge => charge.Permits), Is.EquivalentTo(Enumerable.Range(1, rules)));
        Assert.That(charges.Select(charge => charge.Key.LimitId).Distinct().Count(), Is.EqualTo(rules), "each counts for itself");
        Assert.That(charges.Select(charge => charge.Burst), Is.EqualTo(charges.Select(charge => charge.Permits)));
    }

    [Test]
    public async Task Evaluate_MoreLimitsThanAStoreTakes_DeniesUncharged([Values] bool inMemory)
    {
        await using var guard = Guard(Rules(17));
        var store = new Store();
        GuardDecision decision = await JudgeAsync(guard, inMemory ? new InMemoryRateLimitStore(new FakeTimeProvider()) : store, ToolsCall, Echo);
        Assert.That((decision.Kind, decision.Code), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.GuardFault)));
        Assert.That(decision.Reason, Does.Contain("more than 16"));
        Assert.That(store.Charged, Is.Empty);
    }

    [TestCase("[]", null, null, null, null)]
    [TestCase("""["caller"]""", null, null, "ada", null)]
    [TestCase("""["session"]""", null, null, "ada", "s1")]
    [TestCase("""["server"]""", "test", null, null, null)]
    [TestCase("""["tool"]""", null, "echo", null, null)]
    [TestCase("""["server","tool"]""", "test", "echo", null, null)]
    [TestCase("""["caller","server","tool"]""", "test", "echo", "ada", null)]
    [TestCase("""["caller","session","server","tool"]""", "test", "echo", "ada", "s1")]
    public async Task Evaluate_Scope_IsInTheKeyAndNothingElse(string by, string? server, string? tool, string? user, string? session)
    {
        await using var guard = Guard(By(by));
        var store = new Store();
        await JudgeAsync(guard, store, ToolsCall, Echo);
        RateLimitKey key = store.Charged.Single().Single().Key;
        Assert.That((key.Server, key.Tool, key.UserId, key.SessionId), Is.EqualTo((server, tool, user, session)));
    }

    // Who has no name is its connection: two of them must not share a count, nor get one where callers are not counted apart.
    [TestCase("""["caller"]""", true)]
    [TestCase("""["session"]""", true)]
    [TestCase("""["server"]""", false)]
    public async Task Evaluate_CallerWithoutAName_IsCountedByItsConnection(string by, bool apart)
    {
        await using var guard = Guard(By(by));
        var store = new Store();
        await JudgeAsync(guard, store, ToolsCall, Echo, GuardCaller.ForConnection("c1"));
        await JudgeAsync(guard, store, ToolsCall, Echo, GuardCaller.ForConnection("c2"));
        Assert.That(store.Charged.Select(charges => charges.Single().Key).Distinct().Count(), Is.EqualTo(apart ? 2 : 1));
    }

    [Test]
    public async Task Evaluate_StoreRefuses_DeniesWithItsLimitAndItsTime([Values] bool later)
    {
        await using var guard = Guard();
        var store = new Store { Answer = new RateLimitLease(false, TimeSpan.FromSeconds(9), "the-limit"), Later = later };
        GuardDecision decision = await JudgeAsync(guard, store, ToolsCall, Echo);
        Assert.That((decision.Kind, decision.Code, decision.RetryAfter), Is.EqualTo((GuardDecisionKind.Deny, GuardDenialCodes.RateLimited, (TimeSpan?)TimeSpan.FromSeconds(9))));
        Assert.That(decision.Reason, Is.EqualTo("limit 'the-limit' is used up"));
        Assert.That((await JudgeAsync(guard, new Store { Later = later }, ToolsCall, Echo)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
    }

    [TestCase(0, 5)]
    [TestCase(1, 1)]
    [TestCase(2, 1)]
    public async Task Evaluate_CountsOfThisProcess_AdmitWhatTheStrictestLimitPermits(int rules, int permitted)
    {
        await using var guard = Guard(rules == 0 ? "{}" : Rules(rules));
        var store = new InMemoryRateLimitStore(new FakeTimeProvider());
        var decisions = new List<GuardDecisionKind>();
        for (int i = 0; i < 8; i++)
        {
            decisions.Add((await JudgeAsync(guard, store, ToolsCall, Echo)).Kind);
        }

        Assert.That(decisions.Count(kind => kind == GuardDecisionKind.Continue), Is.EqualTo(permitted));
        Assert.That(decisions.Take(permitted), Has.All.EqualTo(GuardDecisionKind.Continue));
    }

    [Test]
    public async Task Evaluate_CallerHasCancelled_NothingIsCharged()
    {
        await using var guard = Guard();
        var store = new InMemoryRateLimitStore(new FakeTimeProvider());
        RequestContext context = Context(guard, ToolsCall, Echo);
        Assert.That(async () => await new RateLimitStage(store).EvaluateAsync(context, new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(store.Limiter.KeyCount, Is.Zero);
    }

    private static GuardFixture Guard(string rules = "{}") => new(server => server.With("rules", rules).With("rateLimit", """{"permits":5,"per":"7s"}"""));

    private static string By(string by) => "{" + Rule("r", 1, $",\"by\":{by}") + "}";

    private static string Rules(int count) => "{" + string.Join(',', Enumerable.Range(1, count).Select(i => Rule($"r{i}", i))) + "}";

    private static string Rule(string id, int permits, string more = "") =>
        $"\"{id}\":{{\"effect\":\"allow\",\"tools\":[\"echo\"],\"rateLimit\":{{\"permits\":{permits},\"per\":\"60s\"{more}}}}}";

    private static RequestContext Context(GuardFixture guard, string method, string parameters, GuardCaller? caller = null) =>
        (RequestContext)guard.Guard.OpenConnection("test").CreateRequest(method, System.Text.Encoding.UTF8.GetBytes(parameters), caller ?? Ada);

    private static async Task<GuardDecision> JudgeAsync(GuardFixture guard, IRateLimitStore store, string method, string parameters, GuardCaller? caller = null, bool judged = true)
    {
        RequestContext context = Context(guard, method, parameters, caller);
        if (judged)
        {
            await new RulesStage().EvaluateAsync(context, default);
        }

        return await new RateLimitStage(store).EvaluateAsync(context, default);
    }

    /// <summary>A store of other hosts too: it keeps what is charged, and answers at once or later.</summary>
    private sealed class Store : IRateLimitStore
    {
        public List<RateLimitCharge[]> Charged { get; } = [];

        public RateLimitLease Answer { get; init; } = new(true, null, null);

        public bool Later { get; init; }

        public async ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct)
        {
            Charged.Add(charges.ToArray());
            if (Later)
            {
                await Task.Yield();
            }

            return Answer;
        }
    }
}
