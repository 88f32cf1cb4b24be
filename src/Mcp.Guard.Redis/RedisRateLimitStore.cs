using System.Collections.Concurrent;
using Mcp.Guard.Stages.RateLimit;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// Rate limits that all hosts count together, by the server's clock. On one server all limits of a call are charged by one script, together or not at all.
/// On a cluster, where limits of different owners lie on different nodes, they are charged shard by shard and taken back where a later one refuses: then a
/// permit can be lost, and no limit is ever exceeded.
/// </summary>
internal sealed class RedisRateLimitStore : IRateLimitStore
{
    private const int MaxCharges = GcraLimiter.MaxCharges;
    private const int MaxScales = 4096;
    private const int ArgumentsPerCharge = 5;

    private readonly RedisLink _link;
    private readonly ConcurrentDictionary<(long Permits, TimeSpan Window, long Burst), GcraScale> _scales = new();
    private readonly KnownDenials _denials;
    private readonly LocalShare? _local;

    public RedisRateLimitStore(RedisLink link)
    {
        _link = link;
        _denials = new KnownDenials(link.Time);
        _local = link.Options.RateLimitFallback == RedisRateLimitFallback.Local ? new LocalShare(link.Time, link.Options.LocalShare) : null;
    }

    /// <inheritdoc/>
    public async ValueTask<RateLimitLease> AcquireAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (charges.Length is 0 or > MaxCharges)
        {
            throw new ArgumentException($"a call is charged to 1 to {MaxCharges} limits", nameof(charges));
        }

        if (Refusal(charges.Span) is { } known)
        {
            return known;
        }

        RateLimitLease lease;
        try
        {
            lease = await AskAsync(charges, ct);
        }
        catch (RedisUnavailableException) when (_local is not null)
        {
            RedisMetrics.RecordLocal("share");
            return _local.Acquire(charges.Span);
        }

        // The local share follows what was admitted, so that an outage does not begin with a full burst.
        if (lease.IsAdmitted)
        {
            _local?.Acquire(charges.Span);
        }
        else
        {
            _denials.Remember(charges.Span, lease);
        }

        return lease;
    }

    private RateLimitLease? Refusal(ReadOnlySpan<RateLimitCharge> charges)
    {
        foreach (ref readonly RateLimitCharge charge in charges)
        {
            if (charge.Permits == 0)
            {
                return new RateLimitLease(false, null, charge.Key.LimitId);
            }
        }

        if (_denials.Find(charges) is not { } denial)
        {
            return null;
        }

        RedisMetrics.RecordLocal("denied");
        return denial;
    }

    private async ValueTask<RateLimitLease> AskAsync(ReadOnlyMemory<RateLimitCharge> charges, CancellationToken ct)
    {
        var placed = new PlacedCharge[charges.Length];
        for (int i = 0; i < placed.Length; i++)
        {
            placed[i] = Place(charges.Span[i]);
        }

        if (placed.Length == 1 || !await IsClusterAsync(ct))
        {
            return (await ChargeAsync(placed, ct)).Lease;
        }

        var charged = new List<ChargeOutcome>();
        foreach (IGrouping<int, PlacedCharge> shard in placed.GroupBy(static charge => charge.Shard))
        {
            ChargeOutcome? outcome = null;
            try
            {
                outcome = await ChargeAsync([.. shard], ct);
            }
            finally
            {
                if (outcome is not { Lease.IsAdmitted: true })
                {
                    await TakeBackAsync(charged);
                }
            }

            if (!outcome.Lease.IsAdmitted)
            {
                return outcome.Lease;
            }

            charged.Add(outcome);
        }

        return new RateLimitLease(true, null, null);
    }

    private PlacedCharge Place(in RateLimitCharge charge)
    {
        RateLimitKey key = charge.Key;
        (char kind, string owner) = key.UserId is { } user ? ('u', user) : key.Server is { } server ? ('s', server) : ('l', key.LimitId);
        int shard = RedisKeys.ShardOf(kind, owner);
        return new PlacedCharge(key.LimitId, shard, _link.Keys.Of(shard, "r", RedisKeys.Digest('r', key.LimitId, key.Server, key.Tool, key.UserId, key.SessionId)), ScaleOf(charge));
    }

    private GcraScale ScaleOf(in RateLimitCharge charge)
    {
        (long, TimeSpan, long) rate = (charge.Permits, charge.Window, charge.Burst);
        if (_scales.TryGetValue(rate, out GcraScale? scale))
        {
            return scale;
        }

        scale = GcraScale.Create(charge.Permits, charge.Window, charge.Burst);
        return _scales.Count >= MaxScales ? scale : _scales.GetOrAdd(rate, scale);
    }

    private async ValueTask<ChargeOutcome> ChargeAsync(PlacedCharge[] charges, CancellationToken ct)
    {
        var keys = new RedisKey[charges.Length * 2];
        var arguments = new RedisValue[2 + (charges.Length * ArgumentsPerCharge)];
        arguments[0] = _link.Fresh();
        arguments[1] = _link.Expected;
        for (int i = 0; i < charges.Length; i++)
        {
            PlacedCharge charge = charges[i];
            keys[2 * i] = _link.Keys.Epoch(charge.Shard);
            keys[(2 * i) + 1] = charge.Cell;
            Span<RedisValue> at = arguments.AsSpan(2 + (i * ArgumentsPerCharge));
            at[0] = _link.Known(charge.Shard);
            at[1] = charge.Scale.UnitsPerStep;
            at[2] = charge.Scale.StepMicroseconds;
            at[3] = charge.Scale.Interval;
            at[4] = charge.Scale.Tolerance;
        }

        var parts = (RedisResult[])(await _link.ExecuteAsync("rate", database => database.ScriptEvaluateAsync(RedisScript.Rate, keys, arguments), ct))!;
        var epochs = (string[])parts[3]!;
        for (int i = 0; i < charges.Length; i++)
        {
            _link.Learn(charges[i].Shard, epochs[i]);
        }

        bool isAdmitted = (int)parts[0] == 1;
        RateLimitLease lease = isAdmitted
            ? new RateLimitLease(true, null, null)
            : new RateLimitLease(false, TimeSpan.FromMicroseconds((long)parts[2]), charges[(int)parts[1] - 1].LimitId);
        return new ChargeOutcome(lease, charges, (string[])parts[4]!, (string[])parts[5]!);
    }

    private async ValueTask TakeBackAsync(List<ChargeOutcome> charged)
    {
        foreach (ChargeOutcome outcome in charged)
        {
            for (int i = outcome.Charges.Length - 1; i >= 0; i--)
            {
                RedisKey[] keys = [outcome.Charges[i].Cell];
                RedisValue[] arguments = [_link.Fresh(), _link.Expected, outcome.After[i], outcome.Before[i]];
                try
                {
                    await _link.ExecuteAsync("rate-refund", database => database.ScriptEvaluateAsync(RedisScript.Refund, keys, arguments), CancellationToken.None);
                }
                catch (RedisUnavailableException)
                {
                    // The permit is lost: stricter, and what was refused stays refused.
                    return;
                }
            }
        }
    }

    private async ValueTask<bool> IsClusterAsync(CancellationToken ct) => await _link.ExecuteAsync(
        "topology",
        static database => Task.FromResult(database.Multiplexer.GetServers().Any(static server => server.ServerType == ServerType.Cluster)),
        ct);

    private sealed record PlacedCharge(string LimitId, int Shard, RedisKey Cell, GcraScale Scale);

    private sealed record ChargeOutcome(RateLimitLease Lease, PlacedCharge[] Charges, string[] Before, string[] After);
}
