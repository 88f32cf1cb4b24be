using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;

namespace Mcp.Guard.Redis;

/// <summary>
/// The way to the server that all stores of one host share: a connection that is made and kept in the background, a time-out and a circuit breaker around
/// every operation, and the epochs by which a loss of data is seen.
/// </summary>
internal sealed class RedisLink : IAsyncDisposable, IDisposable
{
    private const int BreakAfter = 5;

    private static readonly TimeSpan LeastBreak = TimeSpan.FromMilliseconds(500);

    private readonly ResiliencePipeline _pipeline;
    private readonly Task<ConnectionMultiplexer> _ready;
    private readonly string?[] _known = new string?[RedisKeys.Shards];
    private readonly string _host = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
    private readonly CancellationTokenSource _closed = new();
    private long _epochNumber;
    private long _losses;

    public RedisLink(RedisGuardOptions options, TimeProvider time, ILogger? logger)
    {
        Options = options;
        Time = time;
        Logger = logger ?? NullLogger.Instance;
        Keys = new RedisKeys(options.KeyPrefix);
        ConfigurationOptions configuration = options.Configuration.Clone();

        // Operations fail at once without a connection instead of waiting in a backlog, and reconnecting is spread by chance.
        configuration.AbortOnConnectFail = false;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ReconnectRetryPolicy = new ExponentialRetry(250, 5_000);
        configuration.ClientName ??= "mcp-guard";
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = BreakAfter,
                SamplingDuration = TimeSpan.FromSeconds(2),
                BreakDurationGenerator = static _ => new(LeastBreak + TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(500))),
                ShouldHandle = static arguments => new(arguments.Outcome.Exception is RedisException or TimeoutException or TimeoutRejectedException),
                OnOpened = arguments =>
                {
                    RedisLog.CircuitOpened(Logger, arguments.BreakDuration);
                    return default;
                },
                OnClosed = _ =>
                {
                    RedisLog.CircuitClosed(Logger);
                    return default;
                },
            })
            .AddTimeout(options.OperationTimeout)
            .Build();
        StartTimeout = TimeSpan.FromMilliseconds(configuration.ConnectTimeout);
        _ready = Task.Run(() => PrepareAsync(configuration));
    }

    public RedisGuardOptions Options { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public RedisKeys Keys { get; }

    /// <summary>Cancelled when the host lets go of the server.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>How many shards this host has seen emptied.</summary>
    public long Losses => Interlocked.Read(ref _losses);

    /// <summary>Told when a loss is seen. Set once, before the first use; must not block.</summary>
    public Action? LossSeen { get; set; }

    /// <summary>How long the start of a host may wait for the first connection.</summary>
    public TimeSpan StartTimeout { get; }

    /// <summary>The connection, once it was made and every epoch is known. It is being made from the start on, and again and again until it succeeds.</summary>
    public Task<ConnectionMultiplexer> Ready => _ready;

    /// <summary>Runs a script whose keys lie on one shard, and sees to its epoch: <paramref name="keys"/> starts with the shard's epoch.</summary>
    /// <exception cref="RedisUnavailableException">The server did not answer in time, or refused.</exception>
    public async ValueTask<RedisReply> RunAsync(string operation, string script, int shard, RedisKey[] keys, RedisValue[] arguments, CancellationToken ct)
    {
        RedisValue[] all = [Fresh(), Expected, _known[shard] ?? string.Empty, .. arguments];
        var parts = (RedisResult[])(await ExecuteAsync(operation, database => database.ScriptEvaluateAsync(script, keys, all), ct))!;
        Learn(shard, (string)parts[0]!);
        return new RedisReply(parts, (int)parts[1] != 0);
    }

    /// <summary>Runs one operation within the time-out and the circuit breaker.</summary>
    /// <exception cref="RedisUnavailableException">The server did not answer in time, or refused.</exception>
    public async ValueTask<T> ExecuteAsync<T>(string operation, Func<IDatabase, Task<T>> run, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        long start = Time.GetTimestamp();
        string outcome = "ok";
        try
        {
            return await _pipeline.ExecuteAsync(
                static async (state, token) =>
                {
                    ConnectionMultiplexer connection = await state.Link.Ready.WaitAsync(token);
                    return await state.Run(connection.GetDatabase()).WaitAsync(token);
                },
                (Link: this, Run: run),
                ct);
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or TimeoutRejectedException or BrokenCircuitException or ObjectDisposedException)
        {
            outcome = failure is BrokenCircuitException ? "circuit_open" : failure is TimeoutException or TimeoutRejectedException ? "timeout" : "failed";
            throw new RedisUnavailableException($"Redis could not do '{operation}' ({outcome})", failure);
        }
        finally
        {
            RedisMetrics.Record(operation, outcome, Time.GetElapsedTime(start));
        }
    }

    /// <summary>What a script gets first: the id of a new epoch, and whether one that is missing is a loss.</summary>
    public RedisValue Fresh() => string.Create(CultureInfo.InvariantCulture, $"{_host}.{Volatile.Read(ref _epochNumber)}");

    public RedisValue Expected => Options.ExpectData || Losses > 0 ? "1" : "0";

    public RedisValue Known(int shard) => Volatile.Read(ref _known[shard]) ?? string.Empty;

    /// <summary>Takes over the epoch of a shard. Where this host knew another one, the shard was emptied.</summary>
    public void Learn(int shard, string id)
    {
        string? known = Volatile.Read(ref _known[shard]);
        if (string.Equals(known, id, StringComparison.Ordinal))
        {
            return;
        }

        Volatile.Write(ref _known[shard], id);
        if (known is null)
        {
            return;
        }

        // One that this host makes next must be told from this one.
        Interlocked.Increment(ref _epochNumber);
        if (Interlocked.Increment(ref _losses) == 1)
        {
            RedisLog.DataLost(Logger, shard);
        }

        LossSeen?.Invoke();
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();

        // Where it was never connected, what was under way closes its own.
        await ((Task)_ready).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_ready.IsCompletedSuccessfully)
        {
            await _ready.Result.DisposeAsync();
        }
    }

    // The container may let go without waiting: a connection that is being made is closed when it is there.
    public void Dispose()
    {
        _closed.Cancel();
        if (_ready.IsCompletedSuccessfully)
        {
            _ready.Result.Dispose();
        }
        else
        {
            _ = DisposeAsync().AsTask();
        }
    }

    // Every shard's epoch is known before the first operation, so that a loss is seen wherever it happens. Whatever fails is tried again: a task that had
    // failed for good would leave the host without its stores until it is started anew.
    private async Task<ConnectionMultiplexer> PrepareAsync(ConfigurationOptions configuration)
    {
        ConnectionMultiplexer? connection = null;
        try
        {
            for (long attempt = 1; ; attempt++)
            {
                _closed.Token.ThrowIfCancellationRequested();
                try
                {
                    connection ??= await ConnectionMultiplexer.ConnectAsync(configuration);
                    await LearnEpochsAsync(connection.GetDatabase()).WaitAsync(StartTimeout, Time, _closed.Token);
                    return connection;
                }
                catch (Exception failure) when (!_closed.IsCancellationRequested)
                {
                    if (long.IsPow2(attempt))
                    {
                        RedisLog.NotReady(Logger, failure);
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(100 + RandomNumberGenerator.GetInt32(200)), Time, _closed.Token);
                }
            }
        }
        catch (Exception) when (connection is not null)
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task LearnEpochsAsync(IDatabase database)
    {
        RedisResult[] answers = await Task.WhenAll(Enumerable.Range(0, RedisKeys.Shards).Select(
            shard => database.ScriptEvaluateAsync(RedisScript.Epoch, [Keys.Epoch(shard)], [Fresh(), Expected, Known(shard)])));
        for (int shard = 0; shard < answers.Length; shard++)
        {
            var parts = (RedisResult[])answers[shard]!;
            Learn(shard, (string)parts[0]!);
        }

        // What this host makes from now on is made after a loss, and must be told from these.
        Interlocked.Increment(ref _epochNumber);
    }
}
