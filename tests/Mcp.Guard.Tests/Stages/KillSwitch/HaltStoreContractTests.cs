using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Testing;

namespace Mcp.Guard.Tests.Stages.KillSwitch;

[TestFixture]
internal sealed class HaltStoreContractTests
{
    [TestCaseSource(typeof(HaltStoreContract), nameof(HaltStoreContract.Cases))]
    public Task Contract_InMemoryStore_Holds(string name) => new InMemory().RunAsync(name);

    [TestCaseSource(typeof(HaltStoreContract), nameof(HaltStoreContract.Cases))]
    public Task Contract_SharedStore_Holds(string name) => new Shared(deaf: false).RunAsync(name);

    [TestCase("another-host-is-told-of-stop-and-end")]
    [TestCase("an-ended-subscription-is-silent")]
    public void Contract_SharedStoreThatTellsNobody_IsFound(string name) =>
        Assert.That(async () => await new Shared(deaf: true).RunAsync(name), Throws.InstanceOf<ContractException>());

    [Test]
    public void Contract_SharedStoreWhoseVersionStays_IsFound() => Assert.That(
        async () => await new Shared(deaf: false, still: true).RunAsync("a-change-has-a-higher-version"), Throws.InstanceOf<ContractException>());

    private sealed class InMemory : HaltStoreContract
    {
        protected override ValueTask<IHaltStore> CreateAsync() => new(new InMemoryHaltStore());
    }

    private sealed class Shared(bool deaf, bool still = false) : HaltStoreContract
    {
        protected override TimeSpan Arrival => deaf ? TimeSpan.FromMilliseconds(50) : base.Arrival;

        protected override ValueTask<IHaltStore> CreateAsync() => new(new Board(deaf, still));

        protected override ValueTask<IHaltStore?> OpenOtherHostAsync(IHaltStore store) => new((IHaltStore?)store);
    }

    /// <summary>Stops that every host sees, with the callbacks of each.</summary>
    private sealed class Board(bool deaf, bool still) : IHaltStore
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<HaltScope, Halt> _halts = [];
        private long _version;
        private readonly List<Action<HaltSnapshot>> _listeners = [];

        public ValueTask SetAsync(Halt halt, CancellationToken ct)
        {
            lock (_gate)
            {
                _halts[halt.Scope] = halt;
                _version += still ? 0 : 1;
            }

            Tell();
            return ValueTask.CompletedTask;
        }

        public ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct)
        {
            bool found;
            lock (_gate)
            {
                found = _halts.Remove(scope);
                _version += still ? 0 : 1;
            }

            Tell();
            return new(found);
        }

        public ValueTask<HaltSnapshot> ReadAsync(CancellationToken ct)
        {
            lock (_gate)
            {
                return new(new HaltSnapshot(_version, [.. _halts.Values]));
            }
        }

        public IDisposable Subscribe(Action<HaltSnapshot> changed)
        {
            lock (_gate)
            {
                _listeners.Add(changed);
            }

            return new Subscription(() =>
            {
                lock (_gate)
                {
                    _listeners.Remove(changed);
                }
            });
        }

        private void Tell()
        {
            if (deaf)
            {
                return;
            }

            Action<HaltSnapshot>[] listeners;
            HaltSnapshot halts;
            lock (_gate)
            {
                listeners = [.. _listeners];
                halts = new HaltSnapshot(_version, [.. _halts.Values]);
            }

            foreach (Action<HaltSnapshot> listener in listeners)
            {
                listener(halts);
            }
        }

        private sealed class Subscription(Action end) : IDisposable
        {
            public void Dispose() => end();
        }
    }
}
