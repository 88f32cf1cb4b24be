namespace Mcp.Guard.Stages.Consent;

/// <summary>One call that waits for a prompt.</summary>
internal sealed class ConsentWaiter(IConsentSubject subject)
{
    private readonly TaskCompletionSource<ConsentOutcome> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IConsentSubject Subject => subject;

    public Task<ConsentOutcome> Done => _done.Task;

    public void Complete(ConsentOutcome outcome) => _done.TrySetResult(outcome);
}
