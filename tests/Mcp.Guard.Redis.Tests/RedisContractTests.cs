using System.Diagnostics;
using Mcp.Guard.Testing;

namespace Mcp.Guard.Redis.Tests;

/// <summary>The contracts of all stores against a real server, and against one that runs as a cluster and refuses keys of two slots in one script.</summary>
[TestFixture(false)]
[TestFixture(true)]
[Parallelizable(ParallelScope.Children)]
internal sealed class RedisContractTests(bool isCluster)
{
    private RedisServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await RedisServer.StartAsync(isCluster);

    [OneTimeTearDown]
    public async Task Stop() => await (_server?.DisposeAsync() ?? default);

    [TestCaseSource(typeof(RateLimitStoreContract), nameof(RateLimitStoreContract.Cases))]
    public Task Contract_RateLimits_Holds(string name) => new Rates(_server).RunAsync(name);

    [TestCaseSource(typeof(ConsentStoreContract), nameof(ConsentStoreContract.Cases))]
    public Task Contract_Consents_Holds(string name) => new Consents(_server).RunAsync(name);

    [TestCaseSource(typeof(PinStoreContract), nameof(PinStoreContract.Cases))]
    public Task Contract_Pins_Holds(string name) => new Pins(_server).RunAsync(name);

    [TestCaseSource(typeof(BudgetStoreContract), nameof(BudgetStoreContract.Cases))]
    public Task Contract_Budgets_Holds(string name) => new Budgets(_server).RunAsync(name);

    [TestCaseSource(typeof(HaltStoreContract), nameof(HaltStoreContract.Cases))]
    public Task Contract_Halts_Holds(string name) => new Halts(_server).RunAsync(name);

    // The server's time is real; a timer of the runtime may fire some milliseconds early.
    private static async ValueTask WaitAsync(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        for (TimeSpan left = time; left > TimeSpan.Zero; left = time - Stopwatch.GetElapsedTime(start))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)));
        }
    }

    private sealed class Rates(RedisServer server) : RateLimitStoreContract
    {
        private RedisLink? _link;

        protected override ValueTask<IRateLimitStore> CreateAsync()
        {
            _link = TestLink.Open(server.Configuration(), TestLink.NewPrefix());
            return new(new RedisRateLimitStore(_link));
        }

        protected override ValueTask AdvanceAsync(TimeSpan time) => WaitAsync(time);

        protected override ValueTask ReleaseAsync(IRateLimitStore store) => _link!.DisposeAsync();
    }

    private sealed class Consents(RedisServer server) : ConsentStoreContract
    {
        private RedisLink? _link;

        protected override ValueTask<IConsentStore> CreateAsync()
        {
            _link = TestLink.Open(server.Configuration(), TestLink.NewPrefix());
            return new(new RedisConsentStore(_link));
        }

        protected override ValueTask ReleaseAsync(IConsentStore store) => _link!.DisposeAsync();
    }

    private sealed class Pins(RedisServer server) : PinStoreContract
    {
        private RedisLink? _link;

        protected override ValueTask<IPinStore> CreateAsync()
        {
            _link = TestLink.Open(server.Configuration(), TestLink.NewPrefix());
            return new(new RedisPinStore(_link));
        }

        protected override ValueTask ReleaseAsync(IPinStore store) => _link!.DisposeAsync();
    }

    private sealed class Budgets(RedisServer server) : BudgetStoreContract
    {
        private RedisLink? _link;

        protected override ValueTask<IBudgetStore> CreateAsync()
        {
            _link = TestLink.Open(server.Configuration(), TestLink.NewPrefix());
            return new(new RedisBudgetStore(_link));
        }

        protected override ValueTask AdvanceAsync(TimeSpan time) => WaitAsync(time);

        protected override ValueTask ReleaseAsync(IBudgetStore store) => _link!.DisposeAsync();
    }

    private sealed class Halts(RedisServer server) : HaltStoreContract
    {
        private readonly string _prefix = TestLink.NewPrefix();
        private readonly Dictionary<IHaltStore, RedisLink> _links = [];

        protected override ValueTask<IHaltStore> CreateAsync() => new(Open());

        protected override ValueTask<IHaltStore?> OpenOtherHostAsync(IHaltStore store) => new(Open());

        protected override async ValueTask ReleaseAsync(IHaltStore store)
        {
            ((RedisHaltStore)store).Dispose();
            await _links[store].DisposeAsync();
        }

        private RedisHaltStore Open()
        {
            RedisLink link = TestLink.Open(server.Configuration(), _prefix);
            var store = new RedisHaltStore(link);
            _links.Add(store, link);
            return store;
        }
    }
}
