using System.Security.Cryptography;

namespace Mcp.Guard.Gateway;

/// <summary>The calls that wait for a retry, under random names that each work once. Bounded, for a client need never come back.</summary>
internal sealed class SuspendedCalls(TimeProvider time)
{
    public const int MaxCalls = 1_024;
    public const int MaxPerCaller = 16;
    private const string Prefix = "mcp-guard-";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, SuspendedCall> _calls = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _calls.Count;
            }
        }
    }

    /// <summary>Whether a <c>requestState</c> claims to be one of this table.</summary>
    public static bool IsOwn(string state) => state.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Remembers a call; null where too many wait already.</summary>
    public string? Add(SuspendedCall call, TimeSpan lifetime)
    {
        string state = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        DateTimeOffset now = time.GetUtcNow();
        call.ExpiresAt = now + lifetime;
        List<SuspendedCall>? expired = null;
        bool added;
        lock (_gate)
        {
            int ofCaller = 0;
            string? spent = null;
            foreach (var (name, other) in _calls)
            {
                if (now >= other.ExpiresAt)
                {
                    _calls.Remove(name);
                    (expired ??= []).Add(other);
                }
                else if (other.Call.Caller.Equals(call.Call.Caller))
                {
                    ofCaller++;
                    spent ??= other.Work.IsCompleted ? name : null;
                }
            }

            // A call that ended without its retry, because nobody answered in time, gives way to one that can still be answered.
            if (ofCaller >= MaxPerCaller && spent is not null && _calls.Remove(spent, out SuspendedCall? ended))
            {
                (expired ??= []).Add(ended);
                ofCaller--;
            }

            added = _calls.Count < MaxCalls && ofCaller < MaxPerCaller;
            if (added)
            {
                _calls.Add(state, call);
            }
        }

        expired?.ForEach(static other => other.Abandon());
        return added ? state : null;
    }

    /// <summary>Takes a call up again. A name that another caller uses, or with another tool or arguments, is spent and finds nothing.</summary>
    public SuspendedCall? Take(string state, GuardCaller caller, string tool, string argumentsDigest)
    {
        SuspendedCall? call;
        lock (_gate)
        {
            if (!_calls.TryGetValue(state, out call) || !call.Call.Caller.Equals(caller))
            {
                return null; // not theirs: it stays for whose it is
            }

            _calls.Remove(state);
        }

        if (call.BelongsTo(caller, tool, argumentsDigest) && time.GetUtcNow() < call.ExpiresAt)
        {
            return call;
        }

        call.Abandon();
        return null;
    }

    /// <summary>Ends everything that waits.</summary>
    public void Clear()
    {
        SuspendedCall[] all;
        lock (_gate)
        {
            all = [.. _calls.Values];
            _calls.Clear();
        }

        foreach (SuspendedCall call in all)
        {
            call.Abandon();
        }
    }
}
