using System.Globalization;
using Mcp.Guard.Stages.KillSwitch;
using StackExchange.Redis;

namespace Mcp.Guard.Redis.Tests;

/// <summary>A server that is stopped, paused, restarted empty, cut off or slow: nothing passes that a healthy one would deny, and all recovers by itself.</summary>
[TestFixture]
internal sealed class RedisFaultTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private RedisServer _server = null!;
    private string _prefix = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await RedisServer.StartAsync();
        _prefix = TestLink.NewPrefix();
    }

    [TearDown]
    public async Task Stop() => await (_server?.DisposeAsync() ?? default);

    [Test]
    public async Task ServerStopped_EveryStore_DeniesAndRecovers()
    {
        await using RedisLink link = Open();
        var rates = new RedisRateLimitStore(link);
        var consents = new RedisConsentStore(link);
        var pins = new RedisPinStore(link);
        var budgets = new RedisBudgetStore(link);
        Assert.That((await rates.AcquireAsync(Charge(1000), default)).IsAdmitted, Is.True);
        await _server.StopAsync();
        Assert.That(async () => await rates.AcquireAsync(Charge(1000), default), Throws.TypeOf<RedisUnavailableException>());
        Assert.That(async () => await consents.TakeAsync(HostProcess.Binding(), DateTimeOffset.UnixEpoch, default), Throws.TypeOf<RedisUnavailableException>());
        Assert.That(async () => await consents.AddAsync(Grant("g"), default), Throws.TypeOf<RedisUnavailableException>());
        Assert.That(async () => await budgets.AddAsync(Budget, 1, Day, default), Throws.TypeOf<RedisUnavailableException>());
        Assert.That((await pins.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        await _server.StartAgainAsync();
        await Eventually.True(async () => await AnswersAsync(link));
    }

    [Test]
    public async Task ServerStopped_LocalShare_HoldsAndNoMore()
    {
        await using RedisLink link = Open(options =>
        {
            options.RateLimitFallback = RedisRateLimitFallback.Local;
            options.LocalShare = 0.25;
        });
        var store = new RedisRateLimitStore(link);
        await link.Ready;
        await _server.StopAsync();
        int admitted = 0;
        for (int i = 0; i < 100; i++)
        {
            admitted += (await store.AcquireAsync(Charge(40), default)).IsAdmitted ? 1 : 0;
        }

        Assert.That(admitted, Is.EqualTo(10));
    }

    [Test]
    public async Task ServerStopped_LocalShareAfterABurst_BeginsSpent()
    {
        await using RedisLink link = Open(options =>
        {
            options.RateLimitFallback = RedisRateLimitFallback.Local;
            options.LocalShare = 0.25;
        });
        var store = new RedisRateLimitStore(link);
        for (int i = 0; i < 40; i++)
        {
            Assert.That((await store.AcquireAsync(Charge(40), default)).IsAdmitted, Is.True);
        }

        await _server.StopAsync();
        Assert.That((await store.AcquireAsync(Charge(40), default)).IsAdmitted, Is.False);
    }

    [Test]
    public async Task ServerPaused_Operations_AreGivenUpInTimeAndThenAtOnce()
    {
        await using RedisLink link = Open(static options => options.OperationTimeout = TimeSpan.FromMilliseconds(100));
        var store = new RedisRateLimitStore(link);
        await link.Ready;
        _server.Pause();
        var outcomes = new List<string>();
        for (int i = 0; i < 12; i++)
        {
            try
            {
                await store.AcquireAsync(Charge(1000), default);
                outcomes.Add("answered");
            }
            catch (RedisUnavailableException unavailable)
            {
                outcomes.Add(unavailable.Message);
            }
        }

        Assert.That(outcomes, Has.None.EqualTo("answered"));
        Assert.That(outcomes, Has.Some.Contains("timeout"));
        Assert.That(outcomes, Has.Some.Contains("circuit_open"));
        _server.Continue();
        await Eventually.True(async () => await AnswersAsync(link));
    }

    [Test]
    public async Task ServerPaused_CancelledCall_Cancels()
    {
        await using RedisLink link = Open();
        await link.Ready;
        _server.Pause();
        using var cancelled = new CancellationTokenSource();
        ValueTask<RateLimitLease> pending = new RedisRateLimitStore(link).AcquireAsync(Charge(10), cancelled.Token);
        await cancelled.CancelAsync();
        Assert.That(async () => await pending, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task RestartedEmpty_SpentRateLimit_StaysSpent()
    {
        await using RedisLink link = Open();
        await using RedisLink other = Open();
        var store = new RedisRateLimitStore(link);
        for (int i = 0; i < 10; i++)
        {
            Assert.That((await store.AcquireAsync(Charge(10), default)).IsAdmitted, Is.True);
        }

        await other.Ready;
        await EmptyAsync(link, other);

        // Neither a host that knew the server nor one that starts now admits a new burst.
        await using RedisLink later = Open();
        foreach (RedisLink host in (RedisLink[])[link, other, later])
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.That((await new RedisRateLimitStore(host).AcquireAsync(Charge(10), default)).IsAdmitted, Is.False);
            }
        }
    }

    [Test]
    public async Task RestartedEmpty_ShortWindow_AdmitsAgainAfterIt()
    {
        await using RedisLink link = Open();
        var store = new RedisRateLimitStore(link);
        RateLimitCharge[] charge = [new(new RateLimitKey("short", null, null, "ada", null), 3, TimeSpan.FromSeconds(1), 3)];
        Assert.That((await store.AcquireAsync(charge, default)).IsAdmitted, Is.True);
        await EmptyAsync(link);
        await Eventually.True(async () => (await store.AcquireAsync(charge, default)).IsAdmitted);
    }

    [Test]
    public async Task RestartedEmpty_Pins_AreNoFirstSight()
    {
        await using RedisLink link = Open();
        var store = new RedisPinStore(link);
        Assert.That((await store.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.FirstSight));
        await EmptyAsync(link);
        Assert.That((await store.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        await using RedisLink later = Open();
        Assert.That((await new RedisPinStore(later).ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
    }

    [Test]
    public async Task NewDeployment_ThatExpectsData_TrustsNothingAtFirstSight()
    {
        await using RedisLink link = Open(static options => options.ExpectData = true);
        Assert.That((await new RedisPinStore(link).ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        Assert.That((await new RedisRateLimitStore(link).AcquireAsync(Charge(10), default)).IsAdmitted, Is.False);
    }

    [Test]
    public async Task RestartedEmpty_Stops_AreSetAgain()
    {
        await using RedisLink link = Open();
        await using RedisLink other = Open();
        using var store = new RedisHaltStore(link);
        using var follower = new RedisHaltStore(other);
        IReadOnlyList<Halt> seen = [];
        using IDisposable subscription = follower.Subscribe(halts => Volatile.Write(ref seen, halts.Halts));
        await store.SetAsync(new Halt(new HaltScope("files"), "why", DateTimeOffset.UnixEpoch), default);
        await Eventually.True(() => Volatile.Read(ref seen).Count == 1);
        await EmptyAsync(link, other);
        IReadOnlyList<Halt> read = (await follower.ReadAsync(default)).Halts;
        Assert.That(read.Select(static halt => halt.Scope), Is.EqualTo(new[] { new HaltScope("files") }));
        await using RedisLink later = Open();
        using var third = new RedisHaltStore(later);
        Assert.That((await third.ReadAsync(default)).Halts, Has.Count.EqualTo(1));
    }

    // A replica that took over may lack the last writes: the same epoch, at an earlier count.
    [Test]
    public async Task TakenOverByALateReplica_StopsAreGivenBackAndNewOnesAreInForce()
    {
        await using RedisLink link = Open();
        await using RedisLink other = Open();
        using var store = new RedisHaltStore(link);
        using var follower = new RedisHaltStore(other);
        using var here = new HaltSwitch(store, TimeProvider.System);
        using var there = new HaltSwitch(follower, TimeProvider.System);
        await here.StartAsync(default);
        await there.StartAsync(default);
        foreach (string server in (string[])["a", "b", "c"])
        {
            await here.HaltAsync(new HaltScope(server), "before", default);
        }

        await Eventually.True(() => there.InForce.Count == 3);
        int shard = RedisKeys.ShardOf('h', string.Empty);
        await link.ExecuteAsync("lose", database => database.HashSetAsync(link.Keys.Epoch(shard), "halts", 0), default);
        await link.ExecuteAsync("lose", database => database.KeyDeleteAsync(link.Keys.Of(shard, "h", "all")), default);

        await here.HaltAsync(new HaltScope("new"), "after", default);
        Assert.That(here.Find("new", null, "u"), Is.Not.Null, "on the host that set it");
        await Eventually.True(() => there.Find("new", null, "u") is not null);
        Assert.That(there.Find("a", null, "u"), Is.Not.Null);
        Assert.That(await here.ResumeAsync(new HaltScope("new"), default), Is.True);
        await Eventually.True(() => there.Find("new", null, "u") is null);
        await using RedisLink later = Open();
        using var third = new RedisHaltStore(later);
        Assert.That((await third.ReadAsync(default)).Halts.Select(static halt => halt.Scope.Server), Is.EquivalentTo(new[] { "a", "b", "c" }), "what the replica lacked is stored again");
    }

    [Test]
    public async Task RestartedEmpty_StopClearedAfterwards_IsGone()
    {
        await using RedisLink link = Open();
        using var store = new RedisHaltStore(link);
        await store.SetAsync(new Halt(new HaltScope("files"), "why", DateTimeOffset.UnixEpoch), default);
        await EmptyAsync(link);
        Assert.That(await store.ClearAsync(new HaltScope("files"), default), Is.True);
        Assert.That((await store.ReadAsync(default)).Halts, Is.Empty);
    }

    [Test]
    public async Task RestartedEmpty_Budgets_GoOnWhereTheyWere()
    {
        await using RedisLink link = Open();
        var store = new RedisBudgetStore(link);
        Assert.That(await store.AddAsync(Budget, 7, Timeout.InfiniteTimeSpan, default), Is.EqualTo(7));
        await EmptyAsync(link);
        Assert.That(await store.AddAsync(Budget, 1, Timeout.InfiniteTimeSpan, default), Is.EqualTo(8));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task RestartedEmpty_BudgetOfSeveralHosts_GoesOnFromTheHighestSumSeen(bool whole)
    {
        TimeSpan window = whole ? Timeout.InfiniteTimeSpan : Day;
        await using RedisLink link = Open();
        await using RedisLink other = Open();
        var first = new RedisBudgetStore(link);
        var second = new RedisBudgetStore(other);
        Assert.That(await first.AddAsync(Budget, 5, window, default), Is.EqualTo(5));
        Assert.That(await second.AddAsync(Budget, 2, window, default), Is.EqualTo(7));
        await EmptyAsync(link, other);
        Assert.That(await first.AddAsync(Budget, 1, window, default), Is.EqualTo(6));
        Assert.That(await second.AddAsync(Budget, 1, window, default), Is.EqualTo(8));
    }

    [Test]
    public async Task RestartedEmpty_Grants_AreGone()
    {
        await using RedisLink link = Open();
        var store = new RedisConsentStore(link);
        await store.AddAsync(Grant("g"), default);
        await EmptyAsync(link);
        Assert.That(await store.TakeAsync(HostProcess.Binding(), DateTimeOffset.UnixEpoch, default), Is.Null);
    }

    [Test]
    public async Task StoppedForLong_Stops_StopEverythingUntilRead()
    {
        await using RedisLink link = Open(static options =>
        {
            options.HaltRefresh = TimeSpan.FromMilliseconds(100);
            options.HaltStaleness = TimeSpan.FromMilliseconds(500);
            options.OperationTimeout = TimeSpan.FromMilliseconds(200);
        });
        using var store = new RedisHaltStore(link);
        IReadOnlyList<Halt>? seen = null;
        using IDisposable subscription = store.Subscribe(halts => Volatile.Write(ref seen, halts.Halts));
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 0 });
        await _server.StopAsync();
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 1 } halts && halts[0].Scope == HaltScope.Everything);
        await _server.StartAgainAsync();
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 0 });
    }

    [Test]
    public async Task ConnectionCutBeforeTheReply_OneTimeGrant_IsNeverGivenTwice()
    {
        await using var proxy = new RedisProxy(_server.Port);
        await using RedisLink link = Open(port: proxy.Port);
        var store = new RedisConsentStore(link);
        await store.AddAsync(Grant("g"), default);
        proxy.CutReplies = true;
        Assert.That(async () => await store.TakeAsync(HostProcess.Binding(), DateTimeOffset.UnixEpoch, default), Throws.TypeOf<RedisUnavailableException>());
        proxy.CutReplies = false;
        await Eventually.True(async () => await AnswersAsync(link));

        // The server took it, the reply was lost: the call that asked was denied, and nobody else gets it.
        Assert.That(await store.TakeAsync(HostProcess.Binding(), DateTimeOffset.UnixEpoch, default), Is.Null);
    }

    [Test]
    public async Task ConnectionCutBeforeTheReply_RateLimit_IsNotExceeded()
    {
        await using var proxy = new RedisProxy(_server.Port);
        await using RedisLink link = Open(port: proxy.Port);
        var store = new RedisRateLimitStore(link);
        await link.Ready;
        proxy.CutReplies = true;
        Assert.That(async () => await store.AcquireAsync(Charge(1), default), Throws.TypeOf<RedisUnavailableException>());
        proxy.CutReplies = false;
        await Eventually.True(async () => await AnswersAsync(link));
        int admitted = 0;
        for (int i = 0; i < 5; i++)
        {
            admitted += (await store.AcquireAsync(Charge(1), default)).IsAdmitted ? 1 : 0;
        }

        Assert.That(admitted, Is.LessThanOrEqualTo(1));
    }

    [Test]
    public async Task SlowReplies_Operations_AreGivenUpAndRecover()
    {
        await using var proxy = new RedisProxy(_server.Port);
        await using RedisLink link = Open(static options => options.OperationTimeout = TimeSpan.FromMilliseconds(50), proxy.Port);
        await link.Ready;
        proxy.Delay = TimeSpan.FromMilliseconds(400);
        Assert.That(async () => await new RedisRateLimitStore(link).AcquireAsync(Charge(10), default), Throws.TypeOf<RedisUnavailableException>());
        proxy.Delay = TimeSpan.Zero;
        await Eventually.True(async () => await AnswersAsync(link));
    }

    [Test]
    public async Task ServerWithoutRoom_Writes_Deny()
    {
        await using RedisLink link = Open();
        await link.ExecuteAsync("config", static database => database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1mb"), default);
        Assert.That(async () => await new RedisRateLimitStore(link).AcquireAsync(Charge(10), default), Throws.TypeOf<RedisUnavailableException>());
    }

    [Test]
    public async Task DamagedEntries_AreNotUsed()
    {
        await using RedisLink link = Open();
        var pins = new RedisPinStore(link);
        Assert.That(await pins.TryWriteAsync(Files, new PinnedCatalog(), default), Is.True);
        var consents = new RedisConsentStore(link);
        await consents.AddAsync(Grant("g"), default);
        using var halts = new RedisHaltStore(link);
        await halts.SetAsync(new Halt(new HaltScope("files"), "why", DateTimeOffset.UnixEpoch), default);
        await link.ExecuteAsync("damage", async database =>
        {
            foreach (StackExchange.Redis.IServer server in database.Multiplexer.GetServers())
            {
                await foreach (StackExchange.Redis.RedisKey key in server.KeysAsync(pattern: _prefix + "*"))
                {
                    string name = key.ToString();
                    if (name.Contains(":p:", StringComparison.Ordinal))
                    {
                        await database.HashSetAsync(key, "json", "{");
                    }

                    if (name.Contains(":g:", StringComparison.Ordinal))
                    {
                        string entry = (await database.HashGetAsync(key, "g"))!;
                        await database.HashSetAsync(key, "g", entry.Replace("\"tool\":\"delete_file\"", "\"tool\":\"write_file\"", StringComparison.Ordinal));
                    }

                    if (name.Contains(":h:", StringComparison.Ordinal))
                    {
                        await database.HashSetAsync(key, "bad", "{}");
                    }
                }
            }

            return true;
        }, default);
        Assert.That((await pins.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        Assert.That(async () => await consents.TakeAsync(HostProcess.Binding(), DateTimeOffset.UnixEpoch, default), Throws.TypeOf<RedisUnavailableException>());
        Assert.That((await halts.ReadAsync(default)).Halts.Select(static halt => halt.Scope), Does.Contain(HaltScope.Everything));
    }

    [Test]
    public async Task Follower_StopThatIsNoUnicode_StopsEverythingAndHearsOfTheNextOne()
    {
        await using RedisLink link = Open();
        await using RedisLink other = Open();
        using var store = new RedisHaltStore(link);
        using var follower = new RedisHaltStore(other);
        IReadOnlyList<Halt>? seen = null;
        using IDisposable subscription = follower.Subscribe(halts => Volatile.Write(ref seen, halts.Halts));
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 0 });
        RedisKey key = link.Keys.Of(RedisKeys.ShardOf('h', string.Empty), "h", "all");

        // Half a surrogate pair is sound JSON, and fails only when the text is read.
        await link.ExecuteAsync("damage", database => database.HashSetAsync(key, "bad", """{"server":"\ud800","reason":"why","since":"2026-01-01T00:00:00Z"}"""), default);
        await store.SetAsync(new Halt(new HaltScope("files"), "why", DateTimeOffset.UnixEpoch), default);
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 2 } halts && halts.Any(static halt => halt.Scope == HaltScope.Everything));

        await link.ExecuteAsync("mend", database => database.HashDeleteAsync(key, "bad"), default);
        await store.SetAsync(new Halt(new HaltScope("notes"), "why", DateTimeOffset.UnixEpoch), default);
        await Eventually.True(() => Volatile.Read(ref seen) is { Count: 2 } halts && halts.All(static halt => halt.Scope.Server is not null));
    }

    [Test]
    public async Task Ready_EpochThatIsNone_IsTriedAgainUntilItIs()
    {
        using ConnectionMultiplexer plain = await ConnectionMultiplexer.ConnectAsync(_server.Configuration());
        RedisKey key = new RedisKeys(_prefix).Epoch(0);
        await plain.GetDatabase().StringSetAsync(key, "no epoch");
        await using RedisLink link = Open();
        await Task.WhenAny(link.Ready, Task.Delay(TimeSpan.FromMilliseconds(500)));
        Assert.That(link.Ready.IsCompleted, Is.False);
        await plain.GetDatabase().KeyDeleteAsync(key);
        await link.Ready.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static McpServerIdentity Files => new("files", "npx server");

    private static BudgetKey Budget => new("session", "ada", "s1", null, null, null);

    private static RateLimitCharge[] Charge(long permits) =>
        [new(new RateLimitKey(permits.ToString(CultureInfo.InvariantCulture), null, null, "ada", null), permits, Day, permits)];

    private static ConsentGrant Grant(string id) => new() { GrantId = id, Binding = HostProcess.Binding(), IsSingleUse = true, ExpiresAt = DateTimeOffset.MaxValue };

    private static async Task<bool> AnswersAsync(RedisLink link)
    {
        try
        {
            await link.ExecuteAsync("ping", static database => database.PingAsync(), default);
            return true;
        }
        catch (RedisUnavailableException)
        {
            return false;
        }
    }

    private async Task EmptyAsync(params RedisLink[] hosts)
    {
        await _server.StopAsync();
        await _server.StartAgainAsync();
        foreach (RedisLink host in hosts)
        {
            await Eventually.True(async () => await AnswersAsync(host));
        }
    }

    private RedisLink Open(Action<RedisGuardOptions>? configure = null, int? port = null) => TestLink.Open(_server.Configuration(port), _prefix, configure);
}
