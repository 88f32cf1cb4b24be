using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Mcp.Guard.Redis.Tests;

/// <summary>A real <c>redis-server</c> on loopback, of its own folder and without persistence, that a test may stop, pause and start again empty.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const string Missing = "needs redis-server: apt-get install redis-server (see .ci/run)";

    private readonly string _folder = Directory.CreateTempSubdirectory("mcp-guard-redis-").FullName;
    private readonly bool _isCluster;
    private Process? _process;

    private RedisServer(int port, bool isCluster)
    {
        Port = port;
        _isCluster = isCluster;
    }

    public int Port { get; }

    public static async Task<RedisServer> StartAsync(bool isCluster = false)
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(static folder => File.Exists(Path.Combine(folder, "redis-server"))))
        {
            Assert.Ignore(Missing);
        }

        var server = new RedisServer(FreePort(), isCluster);
        await server.StartAgainAsync();
        return server;
    }

    public ConfigurationOptions Configuration(int? port = null) => new()
    {
        EndPoints = { { "127.0.0.1", port ?? Port } },
        ConnectTimeout = 5_000,
        AllowAdmin = true,
    };

    public async Task StartAgainAsync()
    {
        string[] arguments =
        [
            "--port", $"{Port}", "--bind", "127.0.0.1", "--dir", _folder, "--save", string.Empty, "--appendonly", "no",
            .. _isCluster ? (string[])["--cluster-enabled", "yes"] : [],
        ];
        var start = new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                await using ConnectionMultiplexer connection = await ConnectionMultiplexer.ConnectAsync(Configuration());
                if (_isCluster && (string?)(RedisResult?)await connection.GetDatabase().ExecuteAsync("CLUSTER", "INFO") is { } info && !info.Contains("cluster_state:ok", StringComparison.Ordinal))
                {
                    if (info.Contains("cluster_slots_assigned:0", StringComparison.Ordinal))
                    {
                        await connection.GetServer(connection.GetEndPoints()[0]).ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
                    }

                    await Task.Delay(100, limit.Token);
                    continue;
                }

                return;
            }
            catch (RedisException) when (!limit.IsCancellationRequested)
            {
                await Task.Delay(50, limit.Token);
            }
        }
    }

    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    /// <summary>Stops the process without ending it: connections stay open, and nothing answers.</summary>
    public void Pause() => Signal("STOP");

    public void Continue() => Signal("CONT");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            Continue();
        }

        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, $"{_process!.Id}"]);
        kill.WaitForExit();
    }

    private static int FreePort()
    {
        // A cluster node listens on the port ten thousand above it too.
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (port < 55_000)
            {
                return port;
            }
        }
    }
}
