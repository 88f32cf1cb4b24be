namespace Mcp.Guard;

/// <summary>A control that judges one kind of message. It returns a decision and never calls the next stage.</summary>
/// <typeparam name="TContext">The kind of message: <see cref="GuardRequestContext"/>, <see cref="GuardResultContext"/> and so on.</typeparam>
public interface IGuardStage<in TContext> : IGuardStage
    where TContext : GuardContext
{
    /// <summary>
    /// Judges the message. A stage that throws, outlives the stage deadline or returns <c>default</c> denies with <see cref="GuardDenialCodes.GuardFault"/>.
    /// Stages run again after a replacement and after a consent: they must not keep state of one evaluation.
    /// </summary>
    /// <param name="context">The message.</param>
    /// <param name="ct">Cancelled when the caller gives up or the stage deadline passes.</param>
    ValueTask<GuardDecision> EvaluateAsync(TContext context, CancellationToken ct);
}
