namespace Mcp.Guard.Isolation.Launch;

/// <summary>One started program whose three standard streams and whole process tree the guard owns. Disposing leaves nothing running.</summary>
internal abstract class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan KillWait = TimeSpan.FromSeconds(5);

    public abstract int Id { get; }

    /// <summary>What the program reads.</summary>
    public abstract Stream StandardInput { get; }

    /// <summary>What the program writes.</summary>
    public abstract Stream StandardOutput { get; }

    public abstract Stream StandardError { get; }

    /// <summary>Whether a read of <see cref="StandardOutput"/> that blocks ends when that is closed.</summary>
    public virtual bool EndsReads => false;

    /// <summary>Ends with the exit code (128 + signal where a signal ended it, null where the system did not tell).</summary>
    public abstract Task<int?> Exited { get; }

    /// <summary>Asks the program to end (SIGTERM where there is one). False where it cannot be asked.</summary>
    public abstract bool RequestStop();

    /// <summary>Ends the program and everything it started, at once.</summary>
    public abstract void KillTree();

    public abstract ValueTask DisposeAsync();

    /// <summary>Waits for a killed program. A kill is at once, unless the kernel holds the program in a call that cannot be interrupted: so bounded.</summary>
    protected async Task WaitForEndAsync()
    {
        try
        {
            await Exited.WaitAsync(KillWait, TimeProvider.System).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It has the signal and ends when the kernel lets it; its streams are closed next.
        }
    }
}
