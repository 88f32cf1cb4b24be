namespace Mcp.Guard.Tests.Proof;

/// <summary>A stage of a host that decides nothing: it returns the default value, throws, or fails later.</summary>
internal sealed class FaultyHostStage(int fault) : IGuardStage<GuardRequestContext>
{
    public string Name => "faulty";

    public ValueTask<GuardDecision> EvaluateAsync(GuardRequestContext context, CancellationToken ct)
    {
        if (context.Method is not ("tools/call" or "resources/read" or "prompts/get"))
        {
            return new(GuardDecision.Continue);
        }

        return fault switch
        {
            0 => default,
            1 => throw new InvalidOperationException("a fault"),
            2 => new(Task.FromException<GuardDecision>(new IOException("a late fault"))),
            _ => new(Task.FromException<GuardDecision>(new OperationCanceledException("of nobody"))),
        };
    }
}
