using System.Globalization;
using Mcp.Guard.Stages.RateLimit;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Mcp.Guard.Redis.Tests;

/// <summary>The arithmetic of the script at given moments: the script itself, with the server's clock replaced by one of the test's.</summary>
[TestFixture]
internal sealed class RateScriptTests
{
    private const string Clock = "redis.call('TIME')";

    private static readonly string Script = RedisScript.Rate.Replace(Clock, "{ string.sub(ARGV[#ARGV], 1, -7), string.sub(ARGV[#ARGV], -6) }", StringComparison.Ordinal);

    private RedisServer _server = null!;
    private ConnectionMultiplexer _connection = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await RedisServer.StartAsync();
        _connection = await ConnectionMultiplexer.ConnectAsync(_server.Configuration());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await (_connection?.DisposeAsync() ?? default);
        await (_server?.DisposeAsync() ?? default);
    }

    [Test]
    public void Script_ForTests_HasItsClockReplaced()
    {
        Assert.That(RedisScript.Rate, Does.Contain(Clock));
        Assert.That(Script, Does.Not.Contain(Clock));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public async Task Charge_RandomRatesAndArrivals_DecidesAsTheLimiterInProcess(int seed)
    {
        // Random only in the sense of a fixed table: a linear congruential generator, the same in every run.
        ulong state = (ulong)seed;
        long Next(long below)
        {
            state = (state * 6364136223846793005UL) + 1442695040888963407UL;
            return (long)((UInt128)(state >> 1) * (ulong)below >> 63);
        }

        for (int rate = 0; rate < 25; rate++)
        {
            TimeSpan window = TimeSpan.FromMicroseconds(Next(4) switch { 0 => 1 + Next(1_000), 1 => 1_000_000, 2 => 1 + Next(60_000_000), _ => 86_400_000_000 });
            long permits = 1 + Next(Math.Max(1, Math.Min(10_000, (long)window.TotalMicroseconds)));
            long burst = Next(2) == 0 ? 1 + Next(5) : permits;
            var time = new FakeTimeProvider();
            var limiter = new GcraLimiter(time);
            var charge = new RateLimitCharge(new RateLimitKey("limit", null, null, "ada", null), permits, window, burst);
            string cell = $"{{a}}cell{seed}-{rate}";
            long now = 1_800_000_000_000_000;
            long step = Math.Max(1, (long)(window.TotalMicroseconds / permits));
            for (int call = 0; call < 60; call++)
            {
                long passed = Next(3) switch { 0 => 0, 1 => Next(2 * step), _ => Next(step) };
                now += passed;
                time.Advance(TimeSpan.FromMicroseconds(passed));
                RateLimitLease expected = limiter.Acquire(in charge);
                (bool admitted, long wait) = await ChargeAsync(cell, charge, now);
                string where = $"{permits} in {window}, burst {burst}, call {call}";
                Assert.That(admitted, Is.EqualTo(expected.IsAdmitted), where);
                if (!admitted)
                {
                    Assert.That(wait, Is.EqualTo((expected.RetryAfter!.Value.Ticks + 9) / 10), where);
                }
            }
        }
    }

    [Test]
    public async Task Charge_ClockSetBack_DeniesNoLongerThanTheBurstTakes()
    {
        RateLimitCharge charge = Charge(3, TimeSpan.FromSeconds(3), 3);
        long now = 1_800_000_000_000_000;
        Assert.That((await ChargeAsync("{a}back", charge, now)).Admitted, Is.True);
        now -= 3_600_000_000;
        (bool admitted, long wait) = await ChargeAsync("{a}back", charge, now);
        Assert.That(admitted, Is.False);
        Assert.That(wait, Is.EqualTo(1_000_000));
        Assert.That((await ChargeAsync("{a}back", charge, now + wait - 1)).Admitted, Is.False);
        Assert.That((await ChargeAsync("{a}back", charge, now + wait)).Admitted, Is.True);
    }

    [TestCase(1, 1, 86_400_000_000)]
    [TestCase(1_000_000, 1_000_000, 1)]
    [TestCase(86_400_000_000, 86_400_000_000, 1)]
    [TestCase(86_399_999_999, 1, 1)]
    public async Task Charge_ExtremesOfADay_WaitIsTrue(long permits, long burst, long expectedWait)
    {
        RateLimitCharge charge = Charge(permits, permits == 1_000_000 ? TimeSpan.FromSeconds(1) : TimeSpan.FromDays(1), burst);
        long now = 1_800_000_000_000_000;
        string cell = "{a}extreme" + permits.ToString(CultureInfo.InvariantCulture);

        // A bucket that was just emptied: its cell is idle again after a whole burst.
        GcraScale scale = GcraScale.Create(charge.Permits, charge.Window, charge.Burst);
        long size = (long)scale.StepMicroseconds;
        long owed = (long)scale.Tolerance + (long)scale.Interval;
        string word = string.Create(CultureInfo.InvariantCulture, $"{(now / size) + (owed / (long)scale.UnitsPerStep)} {owed % (long)scale.UnitsPerStep} {(long)scale.UnitsPerStep} {size}");
        await _connection.GetDatabase().StringSetAsync(cell, word);
        (bool admitted, long wait) = await ChargeAsync(cell, charge, now);
        Assert.That(admitted, Is.False);

        // Rates whose numbers need coarser steps may let a permit come a step later, never earlier.
        Assert.That(wait, Is.InRange(expectedWait, expectedWait + size));
        Assert.That((await ChargeAsync(cell, charge, now + wait)).Admitted, Is.True);
    }

    [Test]
    public async Task Charge_OtherRateUnderTheSameKey_KeepsTheTimeUntilItIsIdle()
    {
        long now = 1_800_000_000_000_000;
        RateLimitCharge before = Charge(1, TimeSpan.FromSeconds(10), 1);
        RateLimitCharge after = Charge(10, TimeSpan.FromSeconds(10), 1);
        Assert.That((await ChargeAsync("{a}rate", before, now)).Admitted, Is.True);
        (bool admitted, long wait) = await ChargeAsync("{a}rate", after, now);
        Assert.That(admitted, Is.False);
        Assert.That(wait, Is.InRange(1, 1_000_001));
        Assert.That((await ChargeAsync("{a}rate", after, now + wait)).Admitted, Is.True);
    }

    private static RateLimitCharge Charge(long permits, TimeSpan window, long burst) => new(new RateLimitKey("limit", null, null, "ada", null), permits, window, burst);

    private async Task<(bool Admitted, long Wait)> ChargeAsync(string cell, RateLimitCharge charge, long now)
    {
        GcraScale scale = GcraScale.Create(charge.Permits, charge.Window, charge.Burst);
        var parts = (RedisResult[])(await _connection.GetDatabase().ScriptEvaluateAsync(
            Script,
            ["{a}epoch", cell],
            ["fresh", "0", string.Empty, scale.UnitsPerStep, scale.StepMicroseconds, scale.Interval, scale.Tolerance, now]))!;
        return ((int)parts[0] == 1, (long)parts[2]);
    }
}
