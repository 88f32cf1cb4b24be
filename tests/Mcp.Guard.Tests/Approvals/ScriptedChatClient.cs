using Microsoft.Extensions.AI;

namespace Mcp.Guard.Tests.Approvals;

/// <summary>A model by script: each request takes the next answer; with none left it says "done".</summary>
internal sealed class ScriptedChatClient : IChatClient
{
    private readonly Queue<ChatMessage> _answers = new();

    public ScriptedChatClient ThenCalls(params (string Id, string Tool, Dictionary<string, object?>? Arguments)[] calls)
    {
        _answers.Enqueue(new ChatMessage(ChatRole.Assistant, [.. calls.Select(call => new FunctionCallContent(call.Id, call.Tool, call.Arguments))]));
        return this;
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new ChatResponse(_answers.TryDequeue(out ChatMessage? answer) ? answer : new ChatMessage(ChatRole.Assistant, "done")));

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }
}
