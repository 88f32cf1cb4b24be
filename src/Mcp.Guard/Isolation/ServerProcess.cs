using Mcp.Guard.Isolation.Launch;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Isolation;

/// <summary>
/// One running server that the guard started: its two protocol streams, its bounded standard error, its end. Disposing it stops it;
/// nothing it started in its box is left.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan CleanUpTimeout = TimeSpan.FromSeconds(15);

    private readonly ChildProcess _child;
    private readonly JailHandle? _jail;
    private readonly string? _privateFolder;
    private readonly ServerProcessOptions _options;
    private readonly ILogger _logger;
    private readonly StandardErrorCapture _errors;
    private readonly Task _errorReading;
    private readonly Task<ServerProcessExit> _exited;
    private readonly Lock _stopLock = new();
    private readonly Lock _endLock = new();
    private readonly MemoryWatch? _memory;
    private Task? _stopping;
    private Action<string>? _onOverLimit;
    private string? _overLimit;
    private volatile bool _requested;

    private ServerProcess(IsolationPlan plan, ChildProcess child, JailHandle? jail, int? firstProcess, string? privateFolder, ServerProcessOptions options, ILogger logger)
    {
        Plan = plan;
        _child = child;
        _jail = jail;
        _privateFolder = privateFolder;
        _options = options;
        _logger = logger;
        Output = options.WrapOutput(child.StandardOutput);
        _errors = new StandardErrorCapture(plan.Server, options, logger);
        _errorReading = _errors.ReadAsync(child.StandardError);
        if (plan.WatchedMemory is { } limit && firstProcess is { } first)
        {
            _memory = new MemoryWatch(limit, new BoxMemory(first, new ProcFiles(ProcFiles.Kernel), TimeProvider.System).Read, EndOverLimit);
            _memory.Start();
        }

        _exited = WatchAsync();
    }

    /// <summary>What was started.</summary>
    public IsolationPlan Plan { get; }

    /// <summary>Id of the started program: the box's where there is one.</summary>
    public int ProcessId => _child.Id;

    /// <summary>The server reads it. Closed by <see cref="StopAsync"/>.</summary>
    public Stream Input => _child.StandardInput;

    /// <summary>The server writes it, through the wrapper of the options.</summary>
    public Stream Output { get; }

    /// <summary>Whether a read of <see cref="Output"/> that blocks ends when that is closed.</summary>
    public bool EndsReads => _child.EndsReads;

    /// <summary>Ends when the server has ended, never with a fault.</summary>
    public Task<ServerProcessExit> Exited => _exited;

    /// <summary>The last lines of standard error so far, sanitised. Text from the server.</summary>
    public IReadOnlyList<string> ErrorTail => _errors.Tail();

    /// <summary>Starts what a plan says.</summary>
    /// <exception cref="IsolationException">It cannot be started as planned. Nothing is left running.</exception>
    public static async Task<ServerProcess> StartAsync(IsolationPlan plan, ServerProcessOptions options, ILogger logger, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        StartedProgram started = await ServerLauncher.StartAsync(plan, options, ct).ConfigureAwait(false);
        var server = new ServerProcess(plan, started.Child, started.Jail, started.FirstProcess, started.PrivateFolder, options, logger);
        LiveServers.Add(server);
        if (plan.Mode == IsolationMode.None)
        {
            IsolationLog.NoIsolation(logger, plan.Server);
        }

        foreach (IsolationControlStatus control in plan.Controls)
        {
            if (!control.InForce)
            {
                IsolationLog.NotInForce(logger, plan.Server, control.Control, control.Detail);
            }
        }

        IsolationLog.Started(logger, plan.Server, plan.Mode, server.ProcessId);
        return server;
    }

    /// <summary>
    /// Closes the input, waits <see cref="ServerProcessOptions.StopGrace"/>, asks it to end, waits
    /// <see cref="ServerProcessOptions.TerminateGrace"/>, then ends the whole tree. Calling it again waits for the same stop.
    /// </summary>
    public async Task<ServerProcessExit> StopAsync()
    {
        await Stopping().ConfigureAwait(false);
        return new ServerProcessExit(_child.Exited.IsCompletedSuccessfully ? await _child.Exited.ConfigureAwait(false) : null, _requested, ErrorTail);
    }

    /// <summary>Ends the server and everything it started at once, without grace: for a halt, or a time-out it did not obey.</summary>
    public void Kill()
    {
        if (!_child.Exited.IsCompleted)
        {
            _requested = true;
        }

        if (_jail is null || !_jail.Kill())
        {
            _child.KillTree();
        }
    }

    /// <summary>
    /// Registers who is told, once, why the guard ends the server because it passed a limit, before it is ended; at once where that has happened already.
    /// Must not block.
    /// </summary>
    public void OnOverLimit(Action<string> told)
    {
        lock (_endLock)
        {
            if (_overLimit is null)
            {
                _onOverLimit += told;
                return;
            }
        }

        told(_overLimit);
    }

    public async ValueTask DisposeAsync() => await Stopping().ConfigureAwait(false);

    private void EndOverLimit(string reason)
    {
        Action<string>? told;
        lock (_endLock)
        {
            _overLimit = reason;
            told = _onOverLimit;
        }

        try
        {
            told?.Invoke(reason);
        }
        finally
        {
            Kill();
        }

        // Last: it is the host's code, and may throw or block.
        IsolationLog.OverLimit(_logger, Plan.Server, reason);
    }

    private Task Stopping()
    {
        lock (_stopLock)
        {
            return _stopping ??= StopOnceAsync();
        }
    }

    private async Task StopOnceAsync()
    {
        if (!_child.Exited.IsCompleted)
        {
            _requested = true;
        }

        await CloseInputAsync().ConfigureAwait(false);
        if (!await EndedWithinAsync(_options.StopGrace).ConfigureAwait(false)
            && !(_jail is null && _child.RequestStop() && await EndedWithinAsync(_options.TerminateGrace).ConfigureAwait(false)))
        {
            Kill();

            // Ending the first process of the box ends all of it, and bwrap returns only when the kernel has ended them all.
            if (!await EndedWithinAsync(_options.TerminateGrace).ConfigureAwait(false))
            {
                _child.KillTree();
            }
        }

        await _child.DisposeAsync().ConfigureAwait(false);
        await Output.DisposeAsync().ConfigureAwait(false);
        await _errorReading.ConfigureAwait(false);
        _jail?.Dispose();
        await CleanUpAsync().ConfigureAwait(false);
        LiveServers.Remove(this);
    }

    private async Task<ServerProcessExit> WatchAsync()
    {
        int? code = await _child.Exited.ConfigureAwait(false);
        _memory?.Dispose();
        await Task.WhenAny(_errorReading, Task.Delay(_options.ErrorGrace, _options.Time)).ConfigureAwait(false);
        var exit = new ServerProcessExit(code, _requested, ErrorTail);
        IsolationLog.Ended(_logger, Plan.Server, code, _requested);
        return exit;
    }

    private async Task CloseInputAsync()
    {
        try
        {
            await _child.StandardInput.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The server has closed its end already.
        }
    }

    private async Task<bool> EndedWithinAsync(TimeSpan time)
    {
        try
        {
            await _child.Exited.WaitAsync(time, _options.Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task CleanUpAsync()
    {
        try
        {
            if (Plan.CleanUp is { } command)
            {
                await ServerLauncher.RunToEndAsync(command, Plan.Environment, CleanUpTimeout, _options.Time).ConfigureAwait(false);
            }

            if (_privateFolder is not null)
            {
                Directory.Delete(_privateFolder, recursive: true);
            }
        }
        catch (Exception fault)
        {
            IsolationLog.CleanUpFailed(_logger, fault, Plan.Server);
        }

        CgroupFolder.Remove(Plan.Cgroup);
    }
}
