namespace Mcp.Guard;

/// <summary>The pipeline: judges one message. Hosts that do not use the MCP SDK call it themselves; with the SDK the guarded transport does.</summary>
public interface IMcpHostPolicy
{
    /// <summary>Runs every stage over the message. A denial is a value, never an exception.</summary>
    /// <param name="context">The message, from the guard's context factory.</param>
    /// <param name="ct">The caller's cancellation: it propagates as <see cref="OperationCanceledException"/>.</param>
    ValueTask<GuardEvaluation> EvaluateAsync(GuardContext context, CancellationToken ct = default);
}
