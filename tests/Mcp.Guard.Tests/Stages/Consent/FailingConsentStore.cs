namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A store that fails, hangs, or returns what it should not.</summary>
internal sealed class FailingConsentStore(bool synchronously) : IConsentStore
{
    public ConsentGrant? Returns { get; init; }

    public bool Hangs { get; init; }

    /// <summary>Whether it returns that grant only after a while.</summary>
    public bool ReturnsLater { get; init; }

    public ValueTask<ConsentGrant?> TakeAsync(ConsentBinding binding, DateTimeOffset now, CancellationToken ct) =>
        ReturnsLater ? LaterAsync()
        : Returns is not null ? new(Returns)
        : Hangs ? new(new TaskCompletionSource<ConsentGrant?>().Task)
        : synchronously ? throw new IOException("out of reach")
        : new(Task.FromException<ConsentGrant?>(new OperationCanceledException("not ours")));

    public ValueTask AddAsync(ConsentGrant grant, CancellationToken ct) => synchronously ? throw new IOException("out of reach") : new(Task.FromException(new IOException("out of reach")));

    public ValueTask<bool> RevokeAsync(string grantId, CancellationToken ct) => throw new IOException("out of reach");

    public ValueTask<IReadOnlyList<ConsentGrant>> ListAsync(string userId, DateTimeOffset now, CancellationToken ct) => throw new IOException("out of reach");

    private async ValueTask<ConsentGrant?> LaterAsync()
    {
        await Task.Yield();
        return Returns;
    }
}
