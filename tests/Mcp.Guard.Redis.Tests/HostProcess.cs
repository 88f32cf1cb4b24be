using System.Diagnostics;
using System.Globalization;

namespace Mcp.Guard.Redis.Tests;

/// <summary>One host process of several: does what its mode says with the shared state and prints what it saw.</summary>
internal sealed class HostProcess : IDisposable
{
    public const string Variable = "MCP_GUARD_REDIS_HOST";

    private readonly Process _process;

    private HostProcess(Process process) => _process = process;

    public StreamReader Output => _process.StandardOutput;

    public StreamWriter Input => _process.StandardInput;

    public static HostProcess Start(string mode, int port, string prefix)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(HostProcess).Assembly.Location]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment[Variable] = string.Create(CultureInfo.InvariantCulture, $"{mode} {port} {prefix}");
        return new HostProcess(Process.Start(start)!);
    }

    public async Task<string> LineAsync() =>
        await Output.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) ?? throw new InvalidOperationException("the host process has ended");

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    public static ConsentBinding Binding() => new()
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

    public static async Task<int> RunAsync(string modeAndPlace)
    {
        string[] parts = modeAndPlace.Split(' ');
        var configuration = new StackExchange.Redis.ConfigurationOptions { EndPoints = { { "127.0.0.1", int.Parse(parts[1], CultureInfo.InvariantCulture) } } };
        await using RedisLink link = TestLink.Open(configuration, parts[2]);
        await link.Ready;
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        switch (parts[0])
        {
            case "rate":
                // A day's window, so that no permit comes due meanwhile.
                var store = new RedisRateLimitStore(link);
                RateLimitCharge[] charges = [new(new RateLimitKey("limit", null, null, "ada", null), 100, TimeSpan.FromDays(1), 100)];
                int admitted = await CountAsync(500, async () => (await store.AcquireAsync(charges, default)).IsAdmitted);
                Console.WriteLine(admitted.ToString(CultureInfo.InvariantCulture));
                return 0;
            case "take":
                var consents = new RedisConsentStore(link);
                int taken = await CountAsync(500, async () => await consents.TakeAsync(Binding(), DateTimeOffset.UnixEpoch, default) is not null);
                Console.WriteLine(taken.ToString(CultureInfo.InvariantCulture));
                return 0;
            case "halts":
                using (var halts = new RedisHaltStore(link))
                {
                    using IDisposable subscription = halts.Subscribe(stops => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stops.Halts.Count} {Stopwatch.GetTimestamp()}")));
                    await Console.In.ReadLineAsync();
                }

                return 0;
            default:
                return 2;
        }
    }

    private static async Task<int> CountAsync(int tries, Func<Task<bool>> one)
    {
        bool[] results = await Task.WhenAll(Enumerable.Range(0, tries).Select(_ => Task.Run(one)));
        return results.Count(static result => result);
    }
}
