using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace ChatHost;

/// <summary>Stands for a model: it answers each request of the user with one call of a tool, and the tool's result with a word.</summary>
internal sealed class ScriptedModel(string project) : IChatClient
{
    private int _calls;

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage last = messages.Last();
        ChatMessage answer = last.Role == ChatRole.Tool
            ? new ChatMessage(ChatRole.Assistant, "Done what could be done.")
            : new ChatMessage(ChatRole.Assistant, [Call(last.Text)]);
        return Task.FromResult(new ChatResponse(answer));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
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

    private FunctionCallContent Call(string request)
    {
        string id = $"call-{++_calls}";
        return request switch
        {
            "Read hello.txt." => new(id, "read_file", new Dictionary<string, object?> { ["path"] = Path.Combine(project, "hello.txt") }),
            "Write outside of the project." => Write(id, Path.Combine(project, "..", "outside.txt")),
            _ => Write(id, Path.Combine(project, $"note-{_calls}.txt")),
        };
    }

    private static FunctionCallContent Write(string id, string path) => new(id, "write_file", new Dictionary<string, object?> { ["path"] = path, ["content"] = "a note" });
}
