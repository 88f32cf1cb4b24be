using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>
/// A program started by <see cref="Process"/>, for systems other than Linux. It cannot choose the inherited descriptors beyond what the
/// runtime does (close-on-exec, or no inheritance on Windows), and nothing ends the tree when the host is killed; plans say so.
/// </summary>
internal sealed class PortableChildProcess : ChildProcess
{
    private readonly Process _process;
    private readonly Task<int?> _exited;

    private PortableChildProcess(Process process)
    {
        _process = process;
        _exited = WaitAsync(process);
    }

    public override int Id => _process.Id;

    public override Stream StandardInput => _process.StandardInput.BaseStream;

    public override Stream StandardOutput => _process.StandardOutput.BaseStream;

    public override Stream StandardError => _process.StandardError.BaseStream;

    public override Task<int?> Exited => _exited;

    /// <summary>Starts the program. Nothing but standard streams is redirected, no shell is involved.</summary>
    [SuppressMessage("ApiDesign", "RS0030:Do not use banned APIs", Justification = "This is the launcher the ban points to.")]
    public static PortableChildProcess Start(SpawnRequest request)
    {
        var start = new ProcessStartInfo(request.Executable)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = request.WorkingDirectory,
        };
        foreach (string argument in request.Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        foreach ((string name, string value) in request.Environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{request.Executable} did not start");
        return new PortableChildProcess(process);
    }

    public override bool RequestStop() => false;

    public override void KillTree()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception fault) when (fault is InvalidOperationException or AggregateException or System.ComponentModel.Win32Exception)
        {
            // It has ended, or part of its tree has: what is left was killed.
        }
    }

    public override async ValueTask DisposeAsync()
    {
        KillTree();
        await WaitForEndAsync().ConfigureAwait(false);
        _process.Dispose();
    }

    private static async Task<int?> WaitAsync(Process process)
    {
        await process.WaitForExitAsync().ConfigureAwait(false);
        return process.ExitCode;
    }
}
