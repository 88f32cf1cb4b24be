using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.State;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// Stops that reach every host: told by publish and subscribe, and read again at intervals, so that a lost message costs an interval at most. A stop that
/// was seen holds while the server is away; after <see cref="RedisGuardOptions.HaltStaleness"/> without a read everything is stopped; and a server that lost
/// its data is given the known stops back.
/// </summary>
internal sealed class RedisHaltStore : IHaltStore, IDisposable
{
    /// <summary>Bits of a version that count changes within an epoch; the rest count epochs.</summary>
    private const int CounterBits = 40;

    /// <summary>Epochs that are remembered: each is a loss of data, and answers of old ones come within a time-out.</summary>
    private const int MostEpochs = 16;

    private readonly RedisLink _link;
    private readonly int _shard = RedisKeys.ShardOf('h', string.Empty);
    private readonly Lock _lock = new();
    private readonly Dictionary<HaltScope, Halt> _known = [];
    private readonly List<Action<HaltSnapshot>> _handlers = [];
    private readonly List<string> _epochs = [];
    private readonly SemaphoreSlim _told = new(0, 1);
    private readonly CancellationTokenSource _disposed;
    private long _version;
    private long _forgotten;
    private long _restored;
    private long _wentBack;
    private bool _isFollowing;

    public RedisHaltStore(RedisLink link)
    {
        _link = link;
        _disposed = CancellationTokenSource.CreateLinkedTokenSource(link.Closed);
        link.LossSeen = Tell;
    }

    /// <inheritdoc/>
    public async ValueTask SetAsync(Halt halt, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(halt);
        RedisReply reply = await _link.RunAsync(
            "halt-set", RedisScript.HaltSet, _shard, Keys(), [Field(halt.Scope), Write(halt), PlacesFor(halt), _link.Keys.Channel], ct);
        if ((int)reply.Parts[2] != 1)
        {
            throw new InvalidOperationException($"{HaltSwitch.MaxHalts} stops are in force; stop a server or everything instead");
        }

        lock (_lock)
        {
            // What is known may lack other hosts' changes up to this version, which the next read brings.
            _known[halt.Scope] = halt;
            _version = Math.Max(_version, VersionOf(reply));
        }

        await RestoreAsync(ct);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> ClearAsync(HaltScope scope, CancellationToken ct)
    {
        RedisReply reply = await _link.RunAsync("halt-clear", RedisScript.HaltClear, _shard, Keys(), [Field(scope), _link.Keys.Channel], ct);
        bool wasKnown;
        lock (_lock)
        {
            wasKnown = _known.Remove(scope);
            _version = Math.Max(_version, VersionOf(reply));
        }

        return await RestoreAsync(ct) ? wasKnown : (int)reply.Parts[2] == 1;
    }

    /// <inheritdoc/>
    public async ValueTask<HaltSnapshot> ReadAsync(CancellationToken ct)
    {
        if (!_link.Ready.IsCompleted)
        {
            // The start of a host waits for its first connection longer than a call does.
            try
            {
                await _link.Ready.WaitAsync(_link.StartTimeout, _link.Time, ct);
            }
            catch (TimeoutException late)
            {
                throw new RedisUnavailableException("Redis could not be reached to read the stops", late);
            }
        }

        (RedisReply reply, long version) = await ReadOnceAsync(ct);
        if (await RestoreAsync(ct))
        {
            (reply, version) = await ReadOnceAsync(ct);
        }

        var halts = new List<Halt>();
        foreach (RedisResult item in (RedisResult[])reply.Parts[2]!)
        {
            halts.Add(Parse((byte[])item!) ?? Damaged());
        }

        lock (_lock)
        {
            if (version >= _version)
            {
                _version = version;
                _known.Clear();
                foreach (Halt halt in halts)
                {
                    _known[halt.Scope] = halt;
                }
            }

            return new HaltSnapshot(version, halts);
        }
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(Action<HaltSnapshot> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        lock (_lock)
        {
            _handlers.Add(changed);
            if (!_isFollowing)
            {
                _isFollowing = true;
                _ = Task.Run(FollowAsync);
            }
        }

        return new Subscription(this, changed);
    }

    public void Dispose() => _disposed.Cancel();

    private async ValueTask<(RedisReply Reply, long Version)> ReadOnceAsync(CancellationToken ct)
    {
        long before;
        lock (_lock)
        {
            before = _version;
        }

        RedisReply reply = await _link.RunAsync("halt-read", RedisScript.HaltRead, _shard, Keys(), [], ct);
        lock (_lock)
        {
            long version = VersionOf(reply);
            if (version < before)
            {
                // It was asked after this host knew a newer moment, so the server went back: a replica took over that lacks the last writes. What it
                // counts from here on is newer than all before, and it is given the known stops.
                _epochs[_epochs.IndexOf((string)reply.Parts[0]!)] = string.Empty;
                version = VersionOf(reply);
                Interlocked.Increment(ref _wentBack);
            }

            return (reply, version);
        }
    }

    /// <summary>Gives a server that was emptied, or went back, the stops that this host knows; false where nothing was lost since the last time.</summary>
    private async ValueTask<bool> RestoreAsync(CancellationToken ct)
    {
        long losses = _link.Losses + Interlocked.Read(ref _wentBack);
        if (losses == Interlocked.Read(ref _restored))
        {
            return false;
        }

        Halt[] known;
        lock (_lock)
        {
            known = [.. _known.Values];
        }

        foreach (Halt halt in known)
        {
            await _link.RunAsync("halt-set", RedisScript.HaltSet, _shard, Keys(), [Field(halt.Scope), Write(halt), PlacesFor(halt), _link.Keys.Channel], ct);
        }

        Interlocked.Exchange(ref _restored, losses);
        return true;
    }

    private async Task FollowAsync()
    {
        CancellationToken ct = _disposed.Token;
        long lastRead = _link.Time.GetTimestamp();
        bool isUnknown = false;
        bool isSubscribed = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (!isSubscribed && _link.Ready.IsCompletedSuccessfully)
                {
                    ConnectionMultiplexer connection = await _link.Ready;
                    await connection.GetSubscriber().SubscribeAsync(RedisChannel.Literal(_link.Keys.Channel), (_, _) => Tell());

                    // What was told while the connection was away is read as soon as it is back, each host after a moment of its own.
                    connection.ConnectionRestored += (_, _) => Tell();
                    isSubscribed = true;
                }

                HaltSnapshot halts = await ReadAsync(ct);
                lastRead = _link.Time.GetTimestamp();
                if (isUnknown)
                {
                    isUnknown = false;
                    RedisLog.HaltsKnown(_link.Logger);
                }

                Call(halts);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // Of whatever kind: a loop that ended would hear of no further stop, and nothing would ever count as stale.
                if (failure is not (RedisUnavailableException or RedisException or TimeoutException or ObjectDisposedException))
                {
                    RedisLog.FollowFailed(_link.Logger, failure);
                }

                TimeSpan age = _link.Time.GetElapsedTime(lastRead);
                if (age >= _link.Options.HaltStaleness && !isUnknown)
                {
                    isUnknown = true;
                    RedisLog.HaltsUnknown(_link.Logger, age);
                    Call(WithEverything());
                }
            }

            await WaitAsync(isSubscribed && !isUnknown, ct);
        }
    }

    /// <summary>Until another host says that something changed, or for an interval that chance varies by a fifth, so that hosts do not read in step.</summary>
    private async Task WaitAsync(bool isSound, CancellationToken ct)
    {
        double milliseconds = isSound ? _link.Options.HaltRefresh.TotalMilliseconds : Math.Min(500, _link.Options.HaltRefresh.TotalMilliseconds);
        TimeSpan wait = TimeSpan.FromMilliseconds(milliseconds * (0.8 + (RandomNumberGenerator.GetInt32(400) / 1000.0)));
        using var woken = CancellationTokenSource.CreateLinkedTokenSource(ct);
        Task told = _told.WaitAsync(woken.Token);
        Task first = await Task.WhenAny(told, Task.Delay(wait, _link.Time, woken.Token));

        // Told or not: neither the timer nor the place in the queue stays behind.
        await woken.CancelAsync();
        if (first != told)
        {
            try
            {
                await told;
            }
            catch (OperationCanceledException)
            {
                // The interval is over.
            }
        }
    }

    private void Tell()
    {
        try
        {
            _told.Release();
        }
        catch (SemaphoreFullException)
        {
            // Told already; one read serves both.
        }
    }

    private void Call(HaltSnapshot halts)
    {
        Action<HaltSnapshot>[] handlers;
        lock (_lock)
        {
            handlers = [.. _handlers];
        }

        foreach (Action<HaltSnapshot> handler in handlers)
        {
            try
            {
                handler(halts);
            }
            catch (Exception failure)
            {
                // One that fails must not keep a stop from the others.
                RedisLog.HandlerFailed(_link.Logger, failure);
            }
        }
    }

    // Of the newest version that is known, which the next read that succeeds has at least.
    private HaltSnapshot WithEverything()
    {
        lock (_lock)
        {
            return new HaltSnapshot(_version, [.. _known.Values, new Halt(HaltScope.Everything, "the shared stops cannot be read", _link.Time.GetUtcNow())]);
        }
    }

    /// <summary>
    /// Called under the lock. The server counts changes within an epoch; epochs are ordered as this host first met them, and an answer of one that was
    /// left behind keeps its old place.
    /// </summary>
    private long VersionOf(RedisReply reply)
    {
        string epoch = (string)reply.Parts[0]!;
        int place = _epochs.IndexOf(epoch);
        if (place < 0)
        {
            if (_epochs.Count == MostEpochs)
            {
                _epochs.RemoveAt(0);
                _forgotten++;
            }

            place = _epochs.Count;
            _epochs.Add(epoch);
        }

        return ((_forgotten + place) << CounterBits) + Math.Clamp((long)reply.Parts[3], 0, (1L << CounterBits) - 1);
    }

    private Halt Damaged()
    {
        RedisLog.Damaged(_link.Logger, "a stop");
        return new Halt(HaltScope.Everything, "a shared stop cannot be read", _link.Time.GetUtcNow());
    }

    private RedisKey[] Keys() => [_link.Keys.Epoch(_shard), _link.Keys.Of(_shard, "h", "all")];

    // A stop of everything needs no place.
    private static int PlacesFor(Halt halt) => halt.Scope == HaltScope.Everything ? int.MaxValue : HaltSwitch.MaxHalts;

    private static string Field(in HaltScope scope) => RedisKeys.Digest('h', scope.Server, scope.Tool, scope.UserId);

    private static byte[] Write(Halt halt)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            Part(writer, "server", halt.Scope.Server);
            Part(writer, "tool", halt.Scope.Tool);
            Part(writer, "user", halt.Scope.UserId);
            writer.WriteString("reason"u8, halt.Reason);
            writer.WriteString("since"u8, halt.Since);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Part(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    private static Halt? Parse(byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && StateJson.Text(root, "reason"u8) is { } reason && StateJson.Moment(root, "since"u8) is { } since
                ? new Halt(new HaltScope(StateJson.Text(root, "server"u8), StateJson.Text(root, "tool"u8), StateJson.Text(root, "user"u8)), reason, since)
                : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is no Unicode, which is seen only when it is read.
            return null;
        }
    }

    private sealed class Subscription(RedisHaltStore store, Action<HaltSnapshot> handler) : IDisposable
    {
        public void Dispose()
        {
            lock (store._lock)
            {
                store._handlers.Remove(handler);
            }
        }
    }
}
