using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Budgets;

namespace Mcp.Guard.Hosting;

/// <summary>
/// The sampling requests inside <c>input_required</c> results that wait for the host's answer. Nothing in the flow of control ties what the host calls
/// meanwhile to them, so every call of the same caller counts as caused by the newest. Bounded: with too many the next is refused.
/// </summary>
internal sealed class SamplingInputs
{
    private const int Capacity = 256;

    private readonly Lock _gate = new();
    private readonly List<(Continuation Input, CallChain Chain)> _waiting = [];
    private int _count;

    /// <summary>A sampling request went to the host; false where too many wait.</summary>
    public bool TryAdd(Continuation input, CallChain chain, DateTimeOffset now)
    {
        lock (_gate)
        {
            _waiting.RemoveAll(entry => entry.Input.ExpiresAt <= now);
            if (_waiting.Count < Capacity)
            {
                _waiting.Add((input, chain));
            }
            else
            {
                return false;
            }

            Volatile.Write(ref _count, _waiting.Count);
            return true;
        }
    }

    /// <summary>The host has answered.</summary>
    public void Remove(Continuation input)
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        lock (_gate)
        {
            _waiting.RemoveAll(entry => ReferenceEquals(entry.Input, input));
            Volatile.Write(ref _count, _waiting.Count);
        }
    }

    /// <summary>What a call of a caller counts against; null where no sampling request of this caller waits.</summary>
    public CallChain? CauseOf(GuardCaller caller, TimeProvider time)
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return null;
        }

        DateTimeOffset now = time.GetUtcNow();
        lock (_gate)
        {
            return _waiting.FindLast(entry => entry.Input.ExpiresAt > now && entry.Input.Caller.Equals(caller)).Chain;
        }
    }
}
