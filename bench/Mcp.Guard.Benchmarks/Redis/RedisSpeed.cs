using System.Diagnostics;
using System.Globalization;
using Mcp.Guard.Redis;
using Mcp.Guard.Stages.RateLimit;
using StackExchange.Redis;

namespace Mcp.Guard.Benchmarks.Redis;

/// <summary>
/// What shared limits cost: one call after the other, 64 callers at once, beside a plain PING over the same connection and the limiter in this process in
/// the same run; and the server's memory for many callers. Needs a server that is used for nothing else.
/// </summary>
internal static class RedisSpeed
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(string endpoint, int keys)
    {
        await using RedisLink link = Open(endpoint);
        ConnectionMultiplexer connection = await link.Ready;
        IDatabase database = connection.GetDatabase();
        var store = new RedisRateLimitStore(link);
        var memory = new InMemoryRateLimitStore(TimeProvider.System);
        var consents = new RedisConsentStore(link);
        ConsentBinding binding = Binding();
        await consents.AddAsync(new ConsentGrant { GrantId = Guid.NewGuid().ToString("N"), Binding = binding, ExpiresAt = DateTimeOffset.MaxValue }, default);

        Console.WriteLine("| operation | callers | us a call (median of 5) | calls/s | against PING |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (int callers in (int[])[1, 64])
        {
            double ping = await MedianAsync(callers, 20_000, async _ => await database.PingAsync());
            Row("PING", callers, ping, ping);
            Row("rate limit, one limit", callers, await MedianAsync(callers, 20_000, async i => await store.AcquireAsync(One(i % 1000), default)), ping);
            Row("rate limit, caller and tool", callers, await MedianAsync(callers, 20_000, async i => await store.AcquireAsync(Two(i % 1000), default)), ping);
            Row("rate limit, denied again within its time to wait", callers, await DeniedAsync(store, callers), ping);
            Row("lasting grant found", callers, await MedianAsync(callers, 20_000, async _ => await consents.TakeAsync(binding, DateTimeOffset.UnixEpoch, default)), ping);
            Row("rate limit in this process", callers, await MedianAsync(callers, 200_000, async i => await memory.AcquireAsync(One(i % 1000), default)), ping);
        }

        IServer server = connection.GetServers()[0];
        long before = await UsedAsync(server);
        int done = 0;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async _ =>
        {
            // A long window, so that no key expires while the others come.
            int i;
            while ((i = Interlocked.Increment(ref done)) <= keys)
            {
                await store.AcquireAsync((RateLimitCharge[])[new(Key("many", i), 3, TimeSpan.FromHours(1), 3)], default);
            }
        }));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long used = await UsedAsync(server) - before;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\n{keys} callers with a key each: {used / 1048576.0:0} MiB, {(double)used / keys:0} bytes a key, filled at {keys / seconds:0} a second by 64 callers"));
        return 0;
    }

    private static RedisLink Open(string endpoint)
    {
        var options = new RedisGuardOptions
        {
            Configuration = ConfigurationOptions.Parse(endpoint),
            KeyPrefix = "bench" + Guid.NewGuid().ToString("N")[..8],
            OperationTimeout = TimeSpan.FromSeconds(5),
        };
        return new RedisLink(options, TimeProvider.System, null);
    }

    private static RateLimitKey Key(string limit, int user) => new(limit, "files", null, "user" + user.ToString(CultureInfo.InvariantCulture), null);

    private static RateLimitCharge[] One(int user) => [new(Key("caller", user), 1_000_000, Second, 1_000_000)];

    private static RateLimitCharge[] Two(int user) =>
        [new(Key("caller", user), 1_000_000, Second, 1_000_000), new(new RateLimitKey("tool", "files", "write", null, null), 1_000_000, Second, 1_000_000)];

    private static async Task<double> DeniedAsync(RedisRateLimitStore store, int callers)
    {
        RateLimitCharge[] spent = [new(Key("spent", callers), 1, TimeSpan.FromDays(1), 1)];
        await store.AcquireAsync(spent, default);
        return await MedianAsync(callers, 200_000, async _ => await store.AcquireAsync(spent, default));
    }

    private static async Task<double> MedianAsync(int callers, int calls, Func<int, Task> one)
    {
        var rounds = new List<double>();
        for (int round = 0; round < 6; round++)
        {
            int done = 0;
            long start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
            {
                int i;
                while ((i = Interlocked.Increment(ref done)) <= calls)
                {
                    await one(i);
                }
            })));
            rounds.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / calls);
        }

        // The first warms up.
        rounds.RemoveAt(0);
        rounds.Sort();
        return rounds[rounds.Count / 2];
    }

    private static void Row(string operation, int callers, double microseconds, double ping) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"| {operation} | {callers} | {microseconds:0.00} | {1e6 / microseconds:0} | {microseconds / ping:0.00} |"));

    private static async Task<long> UsedAsync(IServer server)
    {
        IGrouping<string, KeyValuePair<string, string>>[] info = await server.InfoAsync("memory");
        return long.Parse(info.SelectMany(static group => group).First(static pair => pair.Key == "used_memory").Value, CultureInfo.InvariantCulture);
    }

    private static ConsentBinding Binding() => new()
    {
        Server = "files (npx server)",
        Method = "tools/call",
        Tool = "delete_file",
        Fingerprint = new string('a', 64),
        ArgumentsDigest = new string('b', 64),
        UserId = "ada",
        SessionId = "s1",
        PolicyRevision = "p1",
    };
}
