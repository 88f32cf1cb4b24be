using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Budgets;
using Mcp.Guard.Stages.Concurrency;
using Mcp.Guard.Stages.RateLimit;
using Mcp.Guard.Stages.ResultLimit;
using Mcp.Guard.Stages.Timeouts;
using Microsoft.Extensions.Time.Testing;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.RateLimit;

/// <summary>The scenarios of <c>ratelimit.json</c> at the engines that answer them; what needs a whole call is tested again through the transport.</summary>
[TestFixture]
internal sealed class RateLimitScenarioTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Test]
    public void Corpus_EveryScenario_HasATestHere()
    {
        using JsonDocument corpus = CorpusFile.Open("ratelimit.json");
        string[] ids = [.. corpus.RootElement.GetProperty("scenarios").EnumerateArray().Select(s => s.GetProperty("id").GetString()!)];
        string[] tested = [.. GetType().GetMethods().Select(m => m.Name).Where(n => n.StartsWith("Rate", StringComparison.Ordinal)).Select(n => $"rate-{n[4..7]}")];
        Assert.That(ids.Except(tested), Is.Empty);
    }

    [Test]
    public void Rate001_MillionKeysInAMinute_MemoryIsBoundedAndExistingKeysKeepTheirs()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge existing = GcraLimiterTests.Charge("existing", 3, TimeSpan.FromHours(1));
        Assert.That(limiter.Acquire(in existing).IsAdmitted, Is.True);
        int admittedAfterFull = 0;
        for (int i = 0; i < 1_000_000; i++)
        {
            time.Advance(TimeSpan.FromTicks(600));
            bool admitted = limiter.Acquire(GcraLimiterTests.Charge($"user {i}", 3, TimeSpan.FromHours(1))).IsAdmitted;
            admittedAfterFull += i > GcraLimiter.DefaultMaxKeys && admitted ? 1 : 0;
        }

        Assert.That(limiter.KeyCount, Is.EqualTo(GcraLimiter.DefaultMaxKeys));
        Assert.That(admittedAfterFull, Is.InRange(0, 1), "new keys share one bucket: 3 an hour for all of them together");
        Assert.That(GcraLimiterTests.Take(limiter, existing, 5), Is.EqualTo(2), "the existing key has its own two permits left");
        time.Advance(TimeSpan.FromHours(2));
        for (int i = 0; i < 50_000; i++)
        {
            limiter.Acquire(GcraLimiterTests.Charge($"later {i}", 3, TimeSpan.FromHours(1)));
        }

        Assert.That(limiter.KeyCount, Is.LessThanOrEqualTo(50_010), "idle keys have left");
    }

    [Test]
    public void Rate002_WallClockSetBackAndForward_HasNoEffect()
    {
        var time = new SteppedWallClock();
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = GcraLimiterTests.Charge("a", 3, Second);
        Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(3));
        foreach (int hours in (int[])[-1, 48, -1000])
        {
            time.WallClock += TimeSpan.FromHours(hours);
            Assert.That(limiter.Acquire(in charge).IsAdmitted, Is.False);
        }

        time.Monotonic += Second.Ticks;
        Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(3));
    }

    [Test]
    public void Rate002_MonotonicSourceThatGoesBack_NeitherThrowsNorAdmitsMore()
    {
        var time = new SteppedWallClock { Monotonic = TimeSpan.FromDays(400).Ticks };
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = GcraLimiterTests.Charge("a", 3, Second);
        time.Monotonic += TimeSpan.FromDays(1).Ticks;
        Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(3));
        time.Monotonic -= TimeSpan.FromDays(300).Ticks;
        Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.Zero);
        time.Monotonic += TimeSpan.FromDays(3000).Ticks;
        Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(3));
    }

    [Test]
    public void Rate006_CallsWithoutACaller_ShareOneKey()
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        var charge = new RateLimitCharge(new RateLimitKey("limit", "server", null, null, null), 3, Second, 3);
        Assert.That(GcraLimiterTests.Take(limiter, charge, 100), Is.EqualTo(3));
    }

    [Test]
    public void Rate009_ThousandDeniedCalls_ConsumeNothing()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = GcraLimiterTests.Charge("a", 3, Second);
        GcraLimiterTests.Take(limiter, charge, 3);
        TimeSpan? first = limiter.Acquire(in charge).RetryAfter;
        Assert.That(GcraLimiterTests.Take(limiter, charge, 1000), Is.Zero);
        Assert.That(limiter.Acquire(in charge).RetryAfter, Is.EqualTo(first), "denied calls do not push the next permit away");
        time.Advance(first!.Value);
        Assert.That(limiter.Acquire(in charge).IsAdmitted, Is.True);
    }

    [Test]
    public void Rate011_OneByteASecond_EndsAtTheTotalDeadline()
    {
        var time = new FakeTimeProvider();
        using var deadline = new CallDeadline(CallTimeLimits.Default, time, static _ => { }, null);
        int bytes = 0;
        while (!deadline.IsExpired && bytes < 1000)
        {
            time.Advance(Second);
            bytes++;
            deadline.OnProgress();
        }

        Assert.That(bytes, Is.EqualTo(30));
    }

    [TestCase("bytes")]
    [TestCase("items")]
    [TestCase("depth")]
    public void Rate012_GiantResult_IsRefusedBeforeItIsBuffered(string kind)
    {
        if (kind == "bytes")
        {
            using var stream = new BoundedLineStream(new Repeating("base64"u8.ToArray(), 2L << 30), ResultLimits.Default.MaxBytes);
            byte[] buffer = new byte[64 * 1024];
            long delivered = 0;
            Assert.That(
                () =>
                {
                    int read;
                    while ((read = stream.Read(buffer)) > 0)
                    {
                        delivered += read;
                    }
                },
                Throws.InstanceOf<MessageTooLargeException>());
            Assert.That(delivered, Is.LessThanOrEqualTo(ResultLimits.Default.MaxBytes));
            return;
        }

        string json = kind == "items" ? $"{{\"content\":[{string.Join(',', Enumerable.Repeat("0", 1_000_000))}]}}" : new string('[', 100_000) + new string(']', 100_000);
        Assert.That(
            ResultGauge.Measure(Encoding.ASCII.GetBytes(json), ResultLimits.Default),
            Is.EqualTo(kind == "items" ? ResultSize.TooManyItems : ResultSize.TooDeep));
    }

    [Test]
    public void Rate015_SamplingThatCallsTheToolAgain_EndsAtDepthAndBudget()
    {
        var limits = new CallChainLimits { MaxSamplingDepth = 3, MaxCaused = 10 };
        CallChain? chain = CallChain.ForCall(null, limits);
        int rounds = 0;
        while (chain is not null && rounds < 100)
        {
            CallChain? sampling = CallChain.ForSampling(chain, limits);
            chain = sampling is null ? null : CallChain.ForCall(sampling, limits);
            rounds += chain is null ? 0 : 1;
        }

        Assert.That(rounds, Is.EqualTo(3));
    }

    [Test]
    public async Task Rate016_OneServerFloods_OthersRunAndTheFloodIsDeniedAtOnce()
    {
        var limits = new ConcurrencyLimits { PerServer = 2, PerCaller = 100, QueuePerServer = 4, QueuePerCaller = 100 };
        var gate = new ConcurrencyGate(limits, new FakeTimeProvider());
        var caller = new GuardCaller("user", "session");
        Task<ConcurrencyLease?>[] flood = [.. Enumerable.Range(0, 1000).Select(_ => gate.AcquireAsync("flood", caller, default).AsTask())];
        Assert.That(flood.Count(t => t.IsCompleted && t.Result is null), Is.EqualTo(994));
        Assert.That(flood.Count(t => !t.IsCompleted), Is.EqualTo(4));
        Assert.That(await gate.AcquireAsync("quiet", caller, default), Is.Not.Null);
    }

    [Test]
    public void Rate017_LimiterThrows_ThereIsNoLease()
    {
        RateLimitLease lease = default;
        Assert.That(() => lease = new GcraLimiter(new FakeTimeProvider()).Acquire([]), Throws.ArgumentException);
        Assert.That(lease.IsAdmitted, Is.False, "an uninitialised answer denies");
    }

    /// <summary>The schema engine has a corpus of its own; here a whole call of a tool whose definition is the bomb. One that is too large is no tool at all.</summary>
    [TestCase("reference loop", "[schema-refused]")]
    [TestCase("100,000 branches", "[tool-unknown]")]
    [TestCase("remote reference", "[schema-refused]")]
    [TestCase("hostile pattern", "[arguments-invalid]")]
    [CancelAfter(60_000)]
    public async Task Rate019_SchemaBomb_IsDeniedWithinBoundsAndWithoutTheNetwork(string bomb, string code, CancellationToken ct)
    {
        using var network = new TcpListener(IPAddress.Loopback, 0);
        network.Start();
        string schema = bomb switch
        {
            "reference loop" => """{"type":"object","$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}""",
            "100,000 branches" => "{\"type\":\"object\",\"anyOf\":[" + string.Join(',', Enumerable.Repeat("{}", 100_000)) + "]}",
            "remote reference" => "{\"type\":\"object\",\"$ref\":\"http://" + network.LocalEndpoint + "/schema.json\"}",
            _ => """{"type":"object","properties":{"a":{"type":"string","pattern":"^(a+)+$"}}}""",
        };
        var server = new RawServer { Tools = [RawServer.Tool("echo", schema), RawServer.Tool("other")] };
        await using var guard = new GuardFixture(GuardFixture.AllowAll("echo", "other"));
        await using McpClient client = await guard.ConnectAsync(server);
        CallToolResult answer = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["a"] = new string('a', 100_000) + "!" }, cancellationToken: ct);
        Assert.Multiple(() =>
        {
            Assert.That(((TextContentBlock)answer.Content[0]).Text, Does.Contain(code));
            Assert.That(server.Calls, Is.Empty);
            Assert.That(network.Pending(), Is.False, "nobody asked the network for a schema");
        });
        Assert.That((await client.CallToolAsync("other", cancellationToken: ct)).IsError, Is.Not.True, "other tools of the server go on");
    }

    [TestCase(0, 1)]
    [TestCase(-1, 1)]
    [TestCase(int.MaxValue, 1)]
    [TestCase(3, 0)]
    [TestCase(3, -1)]
    public void Rate018_ExtremeLimits_DenyOrAreRefused(int permits, int seconds)
    {
        TimeSpan window = TimeSpan.FromSeconds(seconds);
        Assert.That(GcraRate.Validate(permits, window, 1), permits == 0 ? Is.Null : Is.Not.Null);
        var limiter = new GcraLimiter(new FakeTimeProvider());
        if (permits == 0)
        {
            Assert.That(GcraLimiterTests.Take(limiter, GcraLimiterTests.Charge("a", 0, window), 100), Is.Zero);
        }
        else
        {
            Assert.That(() => limiter.Acquire(GcraLimiterTests.Charge("a", permits, window, 1)), Throws.ArgumentException);
        }
    }

    [Test]
    public void Rate018_HugeButPermittedLimit_IsCountedWithoutOverflow()
    {
        var time = new FakeTimeProvider();
        var limiter = new GcraLimiter(time);
        RateLimitCharge charge = GcraLimiterTests.Charge("a", int.MaxValue, TimeSpan.FromDays(1), burst: 5);
        for (int i = 0; i < 1000; i++)
        {
            Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(5));
            time.Advance(TimeSpan.FromDays(i));
            Assert.That(GcraLimiterTests.Take(limiter, charge, 10), Is.EqualTo(i == 0 ? 0 : 5));
            time.Advance(Second);
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task Acquire_TenThousandParallelCalls_AdmitsExactlyAHundred(int limits)
    {
        var limiter = new GcraLimiter(new FakeTimeProvider());
        RateLimitCharge[] charges = [.. Enumerable.Range(0, limits).Select(i => GcraLimiterTests.Charge("a", 100, TimeSpan.FromDays(1), id: $"limit {i}"))];
        using var start = new Barrier(4);
        int[] admitted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                int mine = 0;
                for (int i = 0; i < 2500; i++)
                {
                    mine += limiter.Acquire(charges).IsAdmitted ? 1 : 0;
                }

                return mine;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
        Assert.That(admitted.Sum(), Is.EqualTo(100));
    }

    private sealed class SteppedWallClock : TimeProvider
    {
        public long Monotonic { get; set; }

        public DateTimeOffset WallClock { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Monotonic;

        public override DateTimeOffset GetUtcNow() => WallClock;
    }

    private sealed class Repeating(byte[] unit, long length) : MemoryStream
    {
        private long _left = length;

        public override int Read(Span<byte> buffer)
        {
            int count = (int)Math.Min(_left, buffer.Length);
            for (int i = 0; i < count; i++)
            {
                buffer[i] = unit[i % unit.Length];
            }

            _left -= count;
            return count;
        }
    }
}
