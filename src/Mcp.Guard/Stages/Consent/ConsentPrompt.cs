namespace Mcp.Guard.Stages.Consent;

/// <summary>One open question and the calls that wait for it. All of it is guarded by the desk's lock.</summary>
internal sealed class ConsentPrompt(ConsentPromptKey key)
{
    public ConsentPromptKey Key => key;

    /// <summary>The waiting calls in the order of their arrival.</summary>
    public List<ConsentWaiter> Waiters { get; } = [];

    /// <summary>Cancelled when the last waiting call gives up, and when the answer is there or too late.</summary>
    public CancellationTokenSource Abandoned { get; } = new();
}
