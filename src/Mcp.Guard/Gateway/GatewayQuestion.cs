using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>One question to the person at the upstream client that waits to be carried by an <c>input_required</c> result, and its answer.</summary>
internal sealed class GatewayQuestion(ElicitRequestParams form)
{
    private readonly TaskCompletionSource<ElicitResult> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ElicitRequestParams Form => form;

    /// <summary>Whether it still waits.</summary>
    public bool IsOpen => !_answer.Task.IsCompleted;

    public Task<ElicitResult> Answer => _answer.Task;

    /// <summary>Takes the first answer; later ones have no effect.</summary>
    public void Reply(ElicitResult answer) => _answer.TrySetResult(answer);

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Withdraw() => _answer.TrySetCanceled();
}
