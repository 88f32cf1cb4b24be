namespace Mcp.Guard.Stages.KillSwitch;

/// <summary>A message that runs, or waits for a person: a stop that covers it cancels its token.</summary>
internal sealed class HaltRegistration : IDisposable
{
    private readonly HaltSwitch _owner;
    private readonly CancellationTokenSource _halted = new();

    public HaltRegistration(HaltSwitch owner, string server, string? tool, string userId)
    {
        _owner = owner;
        Server = server;
        Tool = tool;
        UserId = userId;
        Token = _halted.Token;
    }

    public string Server { get; }

    public string? Tool { get; }

    public string UserId { get; }

    /// <summary>Cancelled by a stop.</summary>
    public CancellationToken Token { get; }

    public void Dispose()
    {
        _owner.Remove(this);
        _halted.Dispose();
    }

    internal void Cancel()
    {
        try
        {
            // The callbacks run elsewhere: one that hangs cannot keep the stop from the others.
            _ = _halted.CancelAsync().ContinueWith(
                static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
        catch (ObjectDisposedException)
        {
            // Done in the same moment.
        }
    }
}
