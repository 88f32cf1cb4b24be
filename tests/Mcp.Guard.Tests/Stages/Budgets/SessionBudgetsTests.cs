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

    // What a store of several hosts answers later decides as what is known at once.
    [TestCase("tool", 2, BudgetVerdict.Spent, false)]
    [TestCase("tool", 1, BudgetVerdict.Within, true)]
    [TestCase("session", 3, BudgetVerdict.Spent, false)]
    [TestCase("session", 2, BudgetVerdict.Within, true)]
    [TestCase("identical", 1, BudgetVerdict.Repeated, true)]
    [TestCase("identical", 0, BudgetVerdict.Within, true)]
    public async Task CheckAndCharge_StoreThatAnswersLater_DecidesAlike(string budget, long made, BudgetVerdict verdict, bool admits)
    {
        foreach (bool later in (bool[])[false, true])
        {
            var budgets = new SessionBudgets(new Counted(budget, made, later));
            var limits = new BudgetLimits { CallsPerTool = 2, CallsPerSession = 3, IdenticalCalls = 1 };
            Assert.That(await Check(budgets, limits, "d"), Is.EqualTo(verdict));
            Assert.That(await Charge(budgets, limits, "d"), Is.EqualTo(admits));
            var repeats = new BudgetLimits { IdenticalCalls = 1 };
            Assert.That(await Check(budgets, repeats, "d"), Is.EqualTo(verdict == BudgetVerdict.Spent ? BudgetVerdict.Within : verdict));
            Assert.That(await Charge(budgets, repeats, "d"), Is.True, "repeats ask and never deny");
        }
    }

    [Test]
    public async Task Charge_StoreThatFails_Throws([Values] bool later)
    {
        var budgets = new SessionBudgets(new Counted("identical", -1, later));
        Assert.That(async () => await Charge(budgets, BudgetLimits.Default, "d"), Throws.InstanceOf<IOException>());
        Assert.That(async () => await Check(budgets, BudgetLimits.Default, "d"), Throws.InstanceOf<IOException>());
        await Task.CompletedTask;
    }

    [Test]
    public async Task Charge_NoLimitOfRepeats_CountsNone()
    {
        var store = new Counted("none", 0, false);
        await Charge(new SessionBudgets(store), new BudgetLimits { CallsPerTool = 1, IdenticalCalls = null }, "d");
        Assert.That(store.Asked, Is.EqualTo(new[] { "tool" }));
    }

    // Neither the sums nor the number of kept moments may let a count fall: the oldest are taken together at the later of their moments.
    [Test]
    public async Task Add_MoreMomentsThanAreKept_ForgetsNoneBeforeItsTime()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time);
        var key = new BudgetKey("b", "u", "s", null, null, null);
        for (int i = 0; i < 65; i++)
        {
            await store.AddAsync(key, 1, TimeSpan.FromSeconds(100), default);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        // Now is second 65; the first moments are those of seconds 0 and 1, taken together at 1.
        time.Advance(TimeSpan.FromSeconds(35));
        Assert.That(await store.AddAsync(key, 0, TimeSpan.FromSeconds(100), default), Is.EqualTo(65), "a second later than the first left alone");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await store.AddAsync(key, 0, TimeSpan.FromSeconds(100), default), Is.EqualTo(63));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await store.AddAsync(key, 0, TimeSpan.FromSeconds(100), default), Is.EqualTo(62));
    }

    [Test]
    public async Task Add_SixtyFourMoments_EachLeavesByItself()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time);
        var key = new BudgetKey("b", "u", "s", null, null, null);
        for (int i = 0; i < 64; i++)
        {
            await store.AddAsync(key, 1, TimeSpan.FromSeconds(100), default);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        time.Advance(TimeSpan.FromSeconds(36));
        Assert.That(await store.AddAsync(key, 0, TimeSpan.FromSeconds(100), default), Is.EqualTo(63));
    }

    [TestCase(0)]
    [TestCase(-2)]
    public void Add_WindowThatIsNone_Throws(int seconds) => Assert.That(
        async () => await new InMemoryBudgetStore(new FakeTimeProvider()).AddAsync(new BudgetKey("b", "u", "s", null, null, null), 1, TimeSpan.FromSeconds(seconds), default),
        Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public async Task Add_NothingToAnUnknownCount_TakesNoRoom()
    {
        var store = new InMemoryBudgetStore(new FakeTimeProvider(), maxKeys: 1);
        for (int i = 0; i < 10; i++)
        {
            Assert.That(await store.AddAsync(new BudgetKey("b", "u", $"{i}", null, null, null), 0, TimeSpan.FromMinutes(1), default), Is.Zero);
        }

        Assert.That(store.KeyCount, Is.Zero);
        await store.AddAsync(new BudgetKey("b", "u", "s", null, null, null), 1, TimeSpan.FromMinutes(1), default);
        Assert.That(
            async () => await store.AddAsync(new BudgetKey("b", "u", "t", null, null, null), 1, TimeSpan.FromMinutes(1), default),
            Throws.InvalidOperationException.With.Message.Contains("all 1 budget counts"));
        Assert.That(store.KeyCount, Is.EqualTo(1));
    }

    // The count of a whole session stays while the session is used, a day or longer.
    [Test]
    public async Task Add_SessionInUse_IsNeverSweptAway()
    {
        var time = new FakeTimeProvider();
        var store = new InMemoryBudgetStore(time, maxKeys: 10_000);
        var key = new BudgetKey("session", "u", "s", null, null, null);
        for (int hour = 1; hour <= 60; hour++)
        {
            Assert.That(await store.AddAsync(key, 1, System.Threading.Timeout.InfiniteTimeSpan, default), Is.EqualTo(hour));
            time.Advance(TimeSpan.FromHours(23));
            for (int i = 0; i < 4; i++)
            {
                await store.AddAsync(new BudgetKey("identical", "u", "s", null, null, $"{hour} {i}"), 1, TimeSpan.FromMinutes(1), default);
            }
        }
    }

    private static Task<BudgetVerdict> Check(SessionBudgets budgets, BudgetLimits limits, string digest) =>
        budgets.CheckAsync(limits, Caller, "server", "tool", digest, default).AsTask();

    private static Task<bool> Charge(SessionBudgets budgets, BudgetLimits limits, string digest, string tool = "tool") =>
        budgets.ChargeAsync(limits, Caller, "server", tool, digest, default).AsTask();

    /// <summary>A store in which so much of one budget was spent before; less than nothing is a store that fails.</summary>
    private sealed class Counted(string budget, long made, bool later) : IBudgetStore
    {
        public List<string> Asked { get; } = [];

        public async ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct)
        {
            Asked.Add(key.BudgetId);
            if (later)
            {
                await Task.Yield();
            }

            return key.BudgetId != budget ? amount : made < 0 ? throw new IOException("out of reach") : made + amount;
        }
    }
}
