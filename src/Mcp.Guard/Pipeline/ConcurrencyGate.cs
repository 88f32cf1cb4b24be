using System.Collections.Concurrent;

namespace Mcp.Guard.Pipeline;

/// <summary>Bounds the calls that run at the same time, per server and per caller. Full means deny at once: a waiting call would hold its caller.</summary>
internal sealed class ConcurrencyGate
{
    private readonly ConcurrentDictionary<string, ConcurrencyCounter> _servers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Server, GuardCaller Caller), ConcurrencyCounter> _callers = new();

    /// <summary>The callers that are counted at the same time; idle ones are dropped when it is reached.</summary>
    private const int MaxCallers = 100_000;

    /// <summary>Takes a slot; lifecycle and list requests take none from the tools.</summary>
    public ConcurrencyLease TryEnter(RequestContext context)
    {
        if (context.Kind != RequestKind.ToolCall)
        {
            return ConcurrencyLease.Uncounted;
        }

        int perServer = context.Settings?.MaxConcurrentCalls ?? 0;
        int perCaller = context.Settings?.Limits.MaxConcurrentCallsPerCaller ?? 0;
        ConcurrencyCounter server = _servers.GetOrAdd(context.Server.Id, static _ => new ConcurrencyCounter());

        if (!server.TryEnter(perServer))
        {
            return ConcurrencyLease.Refuse($"{perServer} calls already run at server '{context.Server.Id}'");
        }

        var key = (context.Server.Id, context.Caller);
        if (!_callers.TryGetValue(key, out ConcurrencyCounter? caller))
        {
            if (_callers.Count >= MaxCallers)
            {
                DropIdle();
            }

            caller = _callers.GetOrAdd(key, static _ => new ConcurrencyCounter());
        }

        if (!caller.TryEnter(perCaller))
        {
            server.Leave();
            return ConcurrencyLease.Refuse($"{perCaller} calls of this caller already run at server '{context.Server.Id}'");
        }

        return ConcurrencyLease.Hold(server, caller);
    }

    private void DropIdle()
    {
        foreach (var (key, counter) in _callers)
        {
            if (counter.Running == 0)
            {
                _callers.TryRemove(key, out _);
            }
        }
    }
}
