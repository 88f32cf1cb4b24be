using System.Diagnostics;
using System.Globalization;

namespace Mcp.Guard.Redis.Tests;

/// <summary>Host processes of their own that share one server.</summary>
[TestFixture]
internal sealed class SeveralHostsTests
{
    private RedisServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await RedisServer.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await (_server?.DisposeAsync() ?? default);

    [TestCase(2)]
    [TestCase(4)]
    public async Task Acquire_SeveralProcesses_AdmitExactlyTheLimitTogether(int hosts)
    {
        int[] admitted = await RunAsync("rate", hosts, TestLink.NewPrefix());
        Assert.That(admitted.Sum(), Is.EqualTo(100), string.Join(' ', admitted));
    }

    [Test]
    public async Task Take_TwoProcessesWithAThousandTries_GiveTheGrantOnce()
    {
        string prefix = TestLink.NewPrefix();
        await using (RedisLink link = TestLink.Open(_server.Configuration(), prefix))
        {
            await new RedisConsentStore(link).AddAsync(
                new ConsentGrant { GrantId = "g", Binding = HostProcess.Binding(), IsSingleUse = true, ExpiresAt = DateTimeOffset.MaxValue }, default);
        }

        int[] taken = await RunAsync("take", 2, prefix);
        Assert.That(taken.Sum(), Is.EqualTo(1));
    }

    [Test]
    public async Task Halt_SetByOneHost_ReachesAllProcesses()
    {
        string prefix = TestLink.NewPrefix();
        HostProcess[] hosts = [.. Enumerable.Range(0, 4).Select(_ => HostProcess.Start("halts", _server.Port, prefix))];
        try
        {
            foreach (HostProcess host in hosts)
            {
                Assert.That(await host.LineAsync(), Is.EqualTo("ready"));
                await host.Input.WriteLineAsync("go");
                Assert.That(await host.LineAsync(), Does.StartWith("0 "));
            }

            await using RedisLink link = TestLink.Open(_server.Configuration(), prefix);
            using var store = new RedisHaltStore(link);
            var taken = new List<TimeSpan>();
            for (int round = 1; round <= 10; round++)
            {
                long set = Stopwatch.GetTimestamp();
                await store.SetAsync(new Halt(new HaltScope("server" + round), "why", DateTimeOffset.UnixEpoch), default);
                foreach (HostProcess host in hosts)
                {
                    string[] told;
                    do
                    {
                        told = (await host.LineAsync()).Split(' ');
                    }
                    while (int.Parse(told[0], CultureInfo.InvariantCulture) < round);

                    // The monotonic clock is the machine's, the same in every process.
                    taken.Add(Stopwatch.GetElapsedTime(set, long.Parse(told[1], CultureInfo.InvariantCulture)));
                }
            }

            taken.Sort();
            TestContext.Out.WriteLine($"a stop reaches 4 processes: median {taken[taken.Count / 2].TotalMilliseconds:0.0} ms, most {taken[^1].TotalMilliseconds:0.0} ms");

            // Told, not found at the next reading five seconds later.
            Assert.That(taken[taken.Count / 2], Is.LessThan(TimeSpan.FromSeconds(1)));
        }
        finally
        {
            Array.ForEach(hosts, static host => host.Dispose());
        }
    }

    private async Task<int[]> RunAsync(string mode, int count, string prefix)
    {
        HostProcess[] hosts = [.. Enumerable.Range(0, count).Select(_ => HostProcess.Start(mode, _server.Port, prefix))];
        try
        {
            foreach (HostProcess host in hosts)
            {
                Assert.That(await host.LineAsync(), Is.EqualTo("ready"));
            }

            foreach (HostProcess host in hosts)
            {
                await host.Input.WriteLineAsync("go");
            }

            var results = new List<int>();
            foreach (HostProcess host in hosts)
            {
                results.Add(int.Parse(await host.LineAsync(), CultureInfo.InvariantCulture));
            }

            return [.. results];
        }
        finally
        {
            Array.ForEach(hosts, static host => host.Dispose());
        }
    }
}
