using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Budgets;

/// <summary>The budgets of the policy against what a session has spent: what goes on, what asks, what is denied.</summary>
[TestFixture]
internal sealed class BudgetStageTests
{
    private const string ToolsCall = "tools/call";
    private const string Echo = """{"name":"echo","arguments":{"a":1}}""";
    private static readonly GuardCaller Ada = new("ada", "s1");

    [TestCase(0, GuardDecisionKind.Continue)]
    [TestCase(2, GuardDecisionKind.Continue)]
    [TestCase(3, GuardDecisionKind.AskConsent)]
    [TestCase(4, GuardDecisionKind.AskConsent)]
    public async Task Evaluate_IdenticalCalls_AskFromThePolicysNumberOn(long made, GuardDecisionKind kind)
    {
        await using var guard = Guard("""{"repeats":{"permits":3,"per":"5s"}}""");
        GuardDecision decision = await JudgeAsync(guard, new Spent("identical", made));
        Assert.That(decision.Kind, Is.EqualTo(kind));
        Assert.That((decision.Code, decision.Reason), Is.EqualTo(kind == GuardDecisionKind.Continue ? (string.Empty, string.Empty) : ("repeated", "the identical call was made again and again")));
    }

    [TestCase("session", 4, GuardDecisionKind.Continue)]
    [TestCase("session", 5, GuardDecisionKind.Deny)]
    [TestCase("session", 6, GuardDecisionKind.Deny)]
    [TestCase("tool", 1, GuardDecisionKind.Continue)]
    [TestCase("tool", 2, GuardDecisionKind.Deny)]
    [TestCase("tool", 3, GuardDecisionKind.Deny)]
    public async Task Evaluate_SpentBudget_Denies(string budget, long made, GuardDecisionKind kind)
    {
        foreach (bool later in (bool[])[false, true])
        {
            await using var guard = Guard("""{"calls":5,"callsPerTool":2}""");
            GuardDecision decision = await JudgeAsync(guard, new Spent(budget, made) { Later = later });
            Assert.That(decision.Kind, Is.EqualTo(kind));
            if (kind == GuardDecisionKind.Deny)
            {
                Assert.That((decision.Code, decision.Reason), Is.EqualTo((GuardDenialCodes.BudgetSpent, "the session's calls, or its calls of this tool, are used up")));
            }
        }
    }

    // The key and the window under which each count is asked for: what is apart in the policy must be apart in a shared store.
    [Test]
    public async Task Evaluate_EveryBudget_IsAskedForItsOwnCountAndCountsNothing()
    {
        await using var guard = Guard("""{"calls":5,"callsPerTool":2,"repeats":{"permits":3,"per":"5s"}}""");
        var store = new Spent("none", 0);
        RequestContext context = Context(guard);
        await new BudgetStage(new SessionBudgets(store)).EvaluateAsync(context, default);
        Assert.That(store.Asked, Is.EquivalentTo(new[]
        {
            (new BudgetKey("tool", "ada", "s1", "test", "echo", null), 0L, System.Threading.Timeout.InfiniteTimeSpan),
            (new BudgetKey("session", "ada", "s1", null, null, null), 0L, System.Threading.Timeout.InfiniteTimeSpan),
            (new BudgetKey("identical", "ada", "s1", "test", "echo", context.ArgumentsDigest), 0L, TimeSpan.FromSeconds(5)),
        }));
    }

    [TestCase("resources/read", """{"uri":"notes://a"}""")]
    [TestCase("prompts/get", """{"name":"p"}""")]
    [TestCase("tools/list", "{}")]
    public async Task Evaluate_OtherRequests_SpendNothing(string method, string parameters)
    {
        await using var guard = Guard("""{"calls":1}""");
        Assert.That((await JudgeAsync(guard, new Spent("session", 9), method, parameters)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
    }

    [Test]
    public async Task Evaluate_ContinuedCall_WasCountedWithItsFirstRequest()
    {
        await using var guard = Guard("""{"calls":1}""");
        RequestContext context = Context(guard);
        context.Continues = Continued.After(context);
        Assert.That((await new BudgetStage(new SessionBudgets(new Spent("session", 9))).EvaluateAsync(context, default)).Kind, Is.EqualTo(GuardDecisionKind.Continue));
    }

    private static GuardFixture Guard(string budgets) => new(server => server.With("budgets", budgets));

    private static RequestContext Context(GuardFixture guard, string method = ToolsCall, string parameters = Echo) =>
        (RequestContext)guard.Guard.OpenConnection("test").CreateRequest(method, System.Text.Encoding.UTF8.GetBytes(parameters), Ada);

    private static ValueTask<GuardDecision> JudgeAsync(GuardFixture guard, Spent store, string method = ToolsCall, string parameters = Echo) =>
        new BudgetStage(new SessionBudgets(store)).EvaluateAsync(Context(guard, method, parameters), default);

    /// <summary>A store in which so much of one budget is spent, and nothing of the others.</summary>
    private sealed class Spent(string budget, long made) : IBudgetStore
    {
        public List<(BudgetKey Key, long Amount, TimeSpan Window)> Asked { get; } = [];

        public bool Later { get; init; }

        public async ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
        {
            Asked.Add((key, amount, window));
            if (Later)
            {
                await Task.Yield();
            }

            return key.BudgetId == budget ? made : 0;
        }
    }
}
