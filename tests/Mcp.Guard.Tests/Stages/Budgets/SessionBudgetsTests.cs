using Mcp.Guard.Stages.Budgets;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Budgets;

[TestFixture]
internal sealed class SessionBudgetsTests
{
    private static readonly GuardCaller Caller = new("user", "session");

    [Test]
    public async Task Check_TenIdenticalCallsInAMinute_TheNextAsksUntilTheMinuteIsOver()
    {
        var time = new FakeTimeProvider();
        var budgets = new SessionBudgets(new InMemoryBudgetStore(time));
        for (int i = 0; i < 10; i++)
        {
            Assert.That(await Check(budgets, BudgetLimits.Default, "d"), Is.EqualTo(BudgetVerdict.Within), $"call {i}");
            Assert.That(await Check(budgets, BudgetLimits.Default, "d"), Is.EqualTo(BudgetVerdict.Within), "asking does not count");
            await Charge(budgets, BudgetLimits.Default, "d");
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(await Check(budgets, BudgetLimits.Default, "d"), Is.EqualTo(BudgetVerdict.Repeated));
        Assert.That(await Check(budgets, BudgetLimits.Default, "other"), Is.EqualTo(BudgetVerdict.Within));
        time.Advance(TimeSpan.FromSeconds(50));
        Assert.That(await Check(budgets, BudgetLimits.Default, "d"), Is.EqualTo(BudgetVerdict.Within), "the first has left the window");
    }

    [Test]
    public async Task Charge_ParallelCallsForTheLastUnits_AdmitsExactlyTheBudget()
    {
        var budgets = new SessionBudgets(new InMemoryBudgetStore(new FakeTimeProvider()));
        var limits = new BudgetLimits { CallsPerSession = 100, CallsPerTool = 1000, IdenticalCalls = null };
        bool[] admitted = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Task.Run(() => Charge(budgets, limits, $"{i}"))));
        Assert.That(admitted.Count(a => a), Is.EqualTo(100));
        Assert.That(await Check(budgets, limits, "x"), Is.EqualTo(BudgetVerdict.Spent));
    }

    [Test]
    public async Task Charge_ToolBudgetSpent_DoesNotCountForTheSession()
    {
        var budgets = new SessionBudgets(new InMemoryBudgetStore(new FakeTimeProvider()));
        var limits = new BudgetLimits { CallsPerSession = 3, CallsPerTool = 1 };
        Assert.That(await Charge(budgets, limits, "d", "one"), Is.True);
        for (int i = 0; i < 10; i++)
        {
            Assert.That(await Charge(budgets, limits, "d", "one"), Is.False);
        }

        Assert.That(await Charge(budgets, limits, "d", "two"), Is.True);
        Assert.That(await Charge(budgets, limits, "d", "three"), Is.True);
        Assert.That(await Charge(budgets, limits, "d", "four"), Is.False);
    }

    [Test]
    public async Task Add_MoreMomentsThanAreKept_NeverCountsTooLittle()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time);
        var key = new BudgetKey("b", "u", "s", null, null, null);
        long sum = 0;
        for (int i = 0; i < 1000; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            sum = await store.AddAsync(key, 1, TimeSpan.FromMinutes(1), default);
        }

        Assert.That(sum, Is.EqualTo(1000));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await store.AddAsync(key, 0, TimeSpan.FromMinutes(1), default), Is.Zero);
    }

    [Test]
    public async Task Add_TwoWindowsOfOneCount_EachSumsWhatLiesInIt()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time);
        var key = new BudgetKey("b", "u", "s", null, null, null);
        var random = new Random(7);
        var model = new List<(TimeSpan At, long Amount)>();
        TimeSpan now = TimeSpan.Zero;
        for (int i = 0; i < 5_000; i++)
        {
            TimeSpan step = TimeSpan.FromMilliseconds(random.Next(0, 800));
            time.Advance(step);
            now += step;
            TimeSpan window = TimeSpan.FromSeconds(i == 0 || random.Next(2) == 0 ? 10 : 3);
            long amount = random.Next(0, 3);
            model.Add((now, amount));
            long expected = model.Where(moment => now - moment.At < window).Sum(moment => moment.Amount);
            Assert.That(await store.AddAsync(key, amount, window, default), Is.EqualTo(expected), $"call {i}, window {window}");
        }
    }

    [Test]
    public async Task Add_KeysBeyondTheCap_ThrowsAndKeepsOldCounts()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time, maxKeys: 100);
        for (int i = 0; i < 100; i++)
        {
            await store.AddAsync(new BudgetKey("session", "u", $"{i}", null, null, null), 5, System.Threading.Timeout.InfiniteTimeSpan, default);
        }

        Assert.That(async () => await store.AddAsync(new BudgetKey("session", "u", "new", null, null, null), 1, System.Threading.Timeout.InfiniteTimeSpan, default), Throws.InvalidOperationException);
        Assert.That(await store.AddAsync(new BudgetKey("session", "u", "7", null, null, null), 1, System.Threading.Timeout.InfiniteTimeSpan, default), Is.EqualTo(6));
        time.Advance(InMemoryBudgetStore.SessionIdle);
        Assert.That(await store.AddAsync(new BudgetKey("session", "u", "new", null, null, null), 1, System.Threading.Timeout.InfiniteTimeSpan, default), Is.EqualTo(1));
        Assert.That(store.KeyCount, Is.LessThanOrEqualTo(97));
    }

    [Test]
    public async Task Add_WindowedKeysThatExpired_MakeRoom()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time, maxKeys: 1000);
        for (int i = 0; i < 100_000; i++)
        {
            await store.AddAsync(new BudgetKey("identical", "u", "s", null, null, $"{i}"), 1, TimeSpan.FromMinutes(1), default);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(store.KeyCount, Is.LessThan(200));
    }

    private static Task<BudgetVerdict> Check(SessionBudgets budgets, BudgetLimits limits, string digest) =>
        budgets.CheckAsync(limits, Caller, "server", "tool", digest, default).AsTask();

    private static Task<bool> Charge(SessionBudgets budgets, BudgetLimits limits, string digest, string tool = "tool") =>
        budgets.ChargeAsync(limits, Caller, "server", tool, digest, default).AsTask();
}
