using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>One question to the upstream client that waits to be carried by an <c>input_required</c> result, and its answer.</summary>
internal sealed class GatewayQuestion
{
    private readonly TaskCompletionSource<InputResponse?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public GatewayQuestion(ElicitRequestParams form)
    {
        Request = InputRequest.ForElicitation(form);
        Form = form;
    }

    public GatewayQuestion(CreateMessageRequestParams sampling) => Request = InputRequest.ForSampling(sampling);

    public InputRequest Request { get; }

    /// <summary>The form that the person is shown; null where the client's model is asked.</summary>
    public ElicitRequestParams? Form { get; }

    /// <summary>Whether it still waits.</summary>
    public bool IsOpen => !_answer.Task.IsCompleted;

    /// <summary>The answer as it came; null where the retry brought none.</summary>
    public Task<InputResponse?> Answer => _answer.Task;

    /// <summary>The answer to a form; one that cannot be read is none.</summary>
    public static ElicitResult FormAnswerOf(InputResponse? response)
    {
        try
        {
            return response?.Deserialize(InputResponse.ElicitResultJsonTypeInfo) ?? new ElicitResult { Action = "cancel" };
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or NotSupportedException)
        {
            return new ElicitResult { Action = "cancel" };
        }
    }

    /// <summary>Takes the first answer; later ones have no effect.</summary>
    public void Reply(InputResponse? answer) => _answer.TrySetResult(answer);

    /// <summary>Takes the answer to a form.</summary>
    public void Reply(ElicitResult answer) => Reply(InputResponse.FromElicitResult(answer));

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Withdraw() => _answer.TrySetCanceled();
}
