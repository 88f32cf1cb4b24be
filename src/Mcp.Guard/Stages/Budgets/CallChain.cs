namespace Mcp.Guard.Stages.Budgets;

/// <summary>
/// Where a message stands in the chain of calls that one root call caused through sampling. The transport keeps it beside each open call, and in the
/// ambient context of the sampling handler, so that what the handler calls is counted against the root.
/// </summary>
internal sealed class CallChain
{
    private static readonly AsyncLocal<CallChain?> Ambient = new();

    private readonly Root _root;
    private readonly int _depth;

    private CallChain(Root root, int depth)
    {
        _root = root;
        _depth = depth;
    }

    /// <summary>The sampling request inside which the running code is, or null.</summary>
    public static CallChain? Current => Ambient.Value;

    /// <summary>How many sampling requests this stands inside.</summary>
    public int Depth => _depth;

    /// <summary>What the root caused so far.</summary>
    public int Caused => Volatile.Read(ref _root.Caused);

    /// <summary>The chain of a request that counts against nobody: a root of its own.</summary>
    public static CallChain NewRoot() => new(new Root(), 0);

    /// <summary>The chain of a new call: a root of its own, or one more that the current sampling request caused.</summary>
    /// <returns>Null where the root may cause no more: deny with <see cref="GuardDenialCodes.BudgetSpent"/>.</returns>
    public static CallChain? ForCall(CallChain? cause, CallChainLimits limits) =>
        cause is null ? NewRoot() : cause._root.TryCause(limits.MaxCaused) ? cause : null;

    /// <summary>The chain of a sampling request that a call caused.</summary>
    /// <param name="call">The open call that it belongs to; null where none is known, which is refused.</param>
    /// <param name="limits">The limits in force.</param>
    /// <returns>Null where it is too deep or the root may cause no more: refuse it with <see cref="GuardDenialCodes.BudgetSpent"/>.</returns>
    public static CallChain? ForSampling(CallChain? call, CallChainLimits limits) =>
        call is not null && call._depth < limits.MaxSamplingDepth && call._root.TryCause(limits.MaxCaused) ? new CallChain(call._root, call._depth + 1) : null;

    /// <summary>Makes this the current chain of the code that answers the sampling request, until disposed.</summary>
    public IDisposable Enter()
    {
        var scope = new Scope(Ambient.Value);
        Ambient.Value = this;
        return scope;
    }

    private sealed class Root
    {
        public int Caused;

        public bool TryCause(int max)
        {
            int caused = Volatile.Read(ref Caused);
            while (caused < max)
            {
                int seen = Interlocked.CompareExchange(ref Caused, caused + 1, caused);
                if (seen == caused)
                {
                    return true;
                }

                caused = seen;
            }

            return false;
        }
    }

    private sealed class Scope(CallChain? outer) : IDisposable
    {
        public void Dispose() => Ambient.Value = outer;
    }
}
