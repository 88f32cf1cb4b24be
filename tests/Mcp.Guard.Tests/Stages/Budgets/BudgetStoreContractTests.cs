using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Budgets;

[TestFixture]
internal sealed class BudgetStoreContractTests
{
    [TestCaseSource(typeof(BudgetStoreContract), nameof(BudgetStoreContract.Cases))]
    public Task Contract_InMemoryStore_Holds(string name) => new InMemory().RunAsync(name);

    [TestCaseSource(typeof(BudgetStoreContract), nameof(BudgetStoreContract.Cases))]
    public void Contract_StoreThatCountsNothing_IsFound(string name) =>
        Assert.That(async () => await new Careless().RunAsync(name), name is "what-is-older-than-the-window-does-not-count" ? Throws.Nothing : Throws.InstanceOf<ContractException>());

    private sealed class InMemory : BudgetStoreContract
    {
        private readonly FakeTimeProvider _time = new();

        protected override ValueTask<IBudgetStore> CreateAsync() => new(new InMemoryBudgetStore(_time));

        protected override ValueTask AdvanceAsync(TimeSpan time)
        {
            _time.Advance(time);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Careless : BudgetStoreContract
    {
        protected override ValueTask<IBudgetStore> CreateAsync() => new(new Nothing());

        protected override ValueTask AdvanceAsync(TimeSpan time) => ValueTask.CompletedTask;

        private sealed class Nothing : IBudgetStore
        {
            private readonly HashSet<string> _seen = [];

            // One count for all users, and every sum is what was added last.
            public ValueTask<long> AddAsync(BudgetKey key, long amount, TimeSpan window, CancellationToken ct) =>
                new(_seen.Add(key.BudgetId) ? amount : amount == long.MaxValue - 1 ? -2 : window == System.Threading.Timeout.InfiniteTimeSpan ? 7 : 1);
        }
    }
}
