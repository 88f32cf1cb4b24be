using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>
/// A call that goes on between the request that began it and the retries that bring answers (SEP-2322). Only the same caller with the same tool and arguments
/// can take it up again, once for each question.
/// </summary>
internal sealed class SuspendedCall(GatewayCall call, string tool, string argumentsDigest, Task<GatewayOutcome> work, CancellationTokenSource cancel)
{
    public GatewayCall Call => call;

    public string Tool => tool;

    public Task<GatewayOutcome> Work => work;

    /// <summary>What the client was asked last.</summary>
    public GatewayQuestion? Question { get; set; }

    /// <summary>After this moment the table may drop it.</summary>
    public DateTimeOffset ExpiresAt { get; set; }

    public bool BelongsTo(GuardCaller caller, string name, string digest) =>
        call.Caller.Equals(caller) && string.Equals(tool, name, StringComparison.Ordinal) && string.Equals(argumentsDigest, digest, StringComparison.Ordinal);

    /// <summary>Nobody will take it up: ends what runs, and what was allowed but not begun.</summary>
    public void Abandon()
    {
        Question?.Withdraw();
        _ = EndAsync();
    }

    private async Task EndAsync()
    {
        try
        {
            await cancel.CancelAsync().ConfigureAwait(false);
            GatewayOutcome outcome = await work.ConfigureAwait(false);
            if (outcome.Evaluation is { } evaluation)
            {
                await evaluation.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // It was ended; whatever it failed with is on record and reaches nobody.
        }
        finally
        {
            cancel.Dispose();
        }
    }
}
