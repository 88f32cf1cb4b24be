using System.ComponentModel;
using System.IO.Pipes;
using System.Runtime.InteropServices;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// A program started by posix_spawn: a session of its own, default signals, no descriptor but those it is given.
/// One thread starts it, waits for it and reaps it: the kernel's "signal when the parent dies" (PR_SET_PDEATHSIG, which bwrap and setpriv
/// use) means the parent thread, so a thread-pool thread that retires would end the server.
/// </summary>
internal sealed class LinuxChildProcess : ChildProcess
{
    private readonly TaskCompletionSource<int?> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _reaping = new();
    private readonly int _pid;
    private readonly LinuxProcessTree? _tree;
    private readonly AnonymousPipeClientStream _input;
    private readonly ChildOutput _output;
    private readonly AnonymousPipeClientStream _error;
    private bool _reaped;

    private LinuxChildProcess(int pid, LinuxDescriptor input, ChildOutput output, LinuxDescriptor error, string? treeMark)
    {
        _pid = pid;
        _tree = treeMark is null ? null : new LinuxProcessTree(pid, treeMark);

        // The runtime reads and writes such pipes without holding a thread.
        _input = new AnonymousPipeClientStream(PipeDirection.Out, input.IntoPipeHandle());
        _output = output;
        _error = new AnonymousPipeClientStream(PipeDirection.In, error.IntoPipeHandle());
    }

    public override int Id => _pid;

    public override Stream StandardInput => _input;

    public override Stream StandardOutput => _output;

    public override Stream StandardError => _error;

    public override bool EndsReads => true;

    public override Task<int?> Exited => _exited.Task;

    /// <summary>Starts the program.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="treeMark">The environment entry (<c>NAME=value</c>) by which left-over descendants are found; null where the program is a jail that ends them itself.</param>
    /// <exception cref="Win32Exception">The program cannot be started; the message says which.</exception>
    public static async Task<LinuxChildProcess> StartAsync(SpawnRequest request, string? treeMark)
    {
        var started = new TaskCompletionSource<LinuxChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Run(request, treeMark, started), maxStackSize: 256 * 1024)
        {
            IsBackground = true,
            Name = "mcp-guard server process",
        };
        thread.Start();
        return await started.Task.ConfigureAwait(false);
    }

    public override bool RequestStop() => Signal(LinuxNative.SigTerm);

    public override void KillTree()
    {
        lock (_reaping)
        {
            if (_reaped)
            {
                return;
            }

            // Children first: once their parent is gone they are found by session and mark only.
            _tree?.Kill(withRoot: true);
            Signal(LinuxNative.SigKill);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        KillTree();
        await WaitForEndAsync().ConfigureAwait(false);
        await _input.DisposeAsync().ConfigureAwait(false);
        await _output.DisposeAsync().ConfigureAwait(false);
        await _error.DisposeAsync().ConfigureAwait(false);
    }

    private static void Run(SpawnRequest request, string? treeMark, TaskCompletionSource<LinuxChildProcess> started)
    {
        LinuxChildProcess child;
        try
        {
            child = Spawn(request, treeMark);
        }
        catch (Exception fault)
        {
            started.SetException(fault);
            return;
        }

        started.SetResult(child);
        child.WaitAndReap();
    }

    private static LinuxChildProcess Spawn(SpawnRequest request, string? treeMark)
    {
        (LinuxDescriptor inputRead, LinuxDescriptor inputWrite) = LinuxDescriptor.Pipe();
        using LinuxDescriptor _ = inputRead;
        (LinuxDescriptor outputRead, LinuxDescriptor outputWrite) = LinuxDescriptor.Pipe();
        using LinuxDescriptor __ = outputWrite;
        (LinuxDescriptor errorRead, LinuxDescriptor errorWrite) = LinuxDescriptor.Pipe();
        using LinuxDescriptor ___ = errorWrite;
        ChildOutput? output = null;
        try
        {
            // It needs a pipe of its own, which may not be had: after the start nothing may fail for want of one, or nobody would end the program.
            output = new ChildOutput(outputRead);
            var descriptors = new List<KeyValuePair<int, LinuxDescriptor>>(request.Descriptors.Count + 3)
            {
                new(0, inputRead),
                new(1, outputWrite),
                new(2, errorWrite),
            };
            descriptors.AddRange(request.Descriptors);
            int pid = PosixSpawner.Spawn(request, descriptors);
            return new LinuxChildProcess(pid, inputWrite, output, errorRead, treeMark);
        }
        catch
        {
            inputWrite.Dispose();
            output?.Dispose();
            outputRead.Dispose();
            errorRead.Dispose();
            throw;
        }
    }

    private void WaitAndReap()
    {
        // First without reaping: as long as the process is not reaped its id cannot be given to another one, so signals stay safe.
        IntPtr information = Marshal.AllocHGlobal(LinuxNative.StructRoom);
        try
        {
            while (LinuxNative.WaitId(LinuxNative.WaitById, _pid, information, LinuxNative.WaitExited | LinuxNative.WaitKeep) != 0
                && Marshal.GetLastPInvokeError() == LinuxNative.ErrorInterrupted)
            {
            }
        }
        finally
        {
            Marshal.FreeHGlobal(information);
        }

        _tree?.KillLeftOvers();
        int? code = null;
        lock (_reaping)
        {
            int reaped;
            int status;
            do
            {
                reaped = LinuxNative.WaitPid(_pid, out status, 0);
            }
            while (reaped < 0 && Marshal.GetLastPInvokeError() == LinuxNative.ErrorInterrupted);

            // A host that ignores SIGCHLD loses the status (the kernel reaps): the process is gone all the same.
            _reaped = true;
            if (reaped == _pid)
            {
                code = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);
            }
        }

        _exited.SetResult(code);
    }

    private bool Signal(int signal)
    {
        lock (_reaping)
        {
            return !_reaped && LinuxNative.Kill(_pid, signal) == 0;
        }
    }
}
