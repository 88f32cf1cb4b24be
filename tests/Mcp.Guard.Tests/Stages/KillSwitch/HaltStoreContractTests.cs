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

    private sealed class InMemory : HaltStoreContract
    {
        protected override ValueTask<IHaltStore> CreateAsync() => new(new InMemoryHaltStore());
    }

    private sealed class Shared(bool deaf) : HaltStoreContract
    {
        protected override TimeSpan Arrival => deaf ? TimeSpan.FromMilliseconds(50) : base.Arrival;

        protected override ValueTask<IHaltStore> CreateAsync() => new(new Board(deaf));

        protected override ValueTask<IHaltStore?> OpenOtherHostAsync(IHaltStore store) => new((IHaltStore?)store);
    }

    /// <summary>Stops that every host sees, with the callbacks of each.</summary>
    private sealed class Board(bool deaf) : IHaltStore
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<HaltScope, Halt> _halts = [];
        private readonly List<Action<IReadOnlyList<Halt>>> _listeners = [];

        public ValueTask SetAsync(Halt halt, CancellationToken ct)
        {
            lock (_gate)
            {
                _halts[halt.Scope] = halt;
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
            }

            Tell();
            return new(found);
        }

        public ValueTask<IReadOnlyList<Halt>> ReadAsync(CancellationToken ct)
        {
            lock (_gate)
            {
                return new([.. _halts.Values]);
            }
        }

        public IDisposable Subscribe(Action<IReadOnlyList<Halt>> changed)
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

            Action<IReadOnlyList<Halt>>[] listeners;
            Halt[] halts;
            lock (_gate)
            {
                listeners = [.. _listeners];
                halts = [.. _halts.Values];
            }

            foreach (Action<IReadOnlyList<Halt>> listener in listeners)
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
