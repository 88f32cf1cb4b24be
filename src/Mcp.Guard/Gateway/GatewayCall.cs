using System.Threading.Channels;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <summary>
/// One request of an upstream client while the gateway works on it: on whose behalf, and how the person at that client can be asked. It flows with the
/// call, so that a question that the call causes reaches the client that made it and no other.
/// </summary>
#pragma warning disable CA1001 // The semaphore makes no wait handle, so there is nothing to dispose of; a question may still hold it when the request has ended.
internal sealed class GatewayCall(GuardCaller caller, McpServer server, bool carriesQuestions)
#pragma warning restore CA1001
{
    private static readonly AsyncLocal<GatewayCall?> Ambient = new();

    private readonly Channel<GatewayQuestion> _questions = Channel.CreateUnbounded<GatewayQuestion>();
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The request that the current flow of control belongs to, or null.</summary>
    public static GatewayCall? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public GuardCaller Caller => caller;

    /// <summary>The server as the first request saw it.</summary>
    public McpServer Server => server;

    /// <summary>
    /// True where the transport keeps no connection (Streamable HTTP of 2026-07-28): a question then travels in an <c>input_required</c> result and its answer
    /// in the retry of the request (SEP-2322).
    /// </summary>
    public bool CarriesQuestions => carriesQuestions;

    /// <summary>Whether the client declared that it can show forms.</summary>
    public bool CanShowForms { get; init; }

    /// <summary>Whether the client declared that it can show an address and open it for a person who agrees.</summary>
    public bool CanShowUrls { get; init; }

    /// <summary>Whether the client declared that its model can be asked.</summary>
    public bool CanSample { get; init; }

    /// <summary>Asks the person at the client; one question at a time, for a client may show only one.</summary>
    public async ValueTask<ElicitResult> AskAsync(ElicitRequestParams form, CancellationToken ct) => carriesQuestions
        ? GatewayQuestion.FormAnswerOf(await CarryAsync(new GatewayQuestion(form), ct).ConfigureAwait(false))
        : await InTurnAsync(() => server.ElicitAsync(form, ct), ct).ConfigureAwait(false);

    /// <summary>Asks the client's model.</summary>
    public async ValueTask<CreateMessageResult> SampleAsync(CreateMessageRequestParams asked, CancellationToken ct)
    {
        if (!carriesQuestions)
        {
            return await InTurnAsync(() => server.SampleAsync(asked, ct), ct).ConfigureAwait(false);
        }

        InputResponse? answer = await CarryAsync(new GatewayQuestion(asked), ct).ConfigureAwait(false);
        return answer?.Deserialize(InputResponse.CreateMessageResultJsonTypeInfo) ?? throw new McpException("The client did not answer the sampling request.");
    }

    private async ValueTask<TAnswer> InTurnAsync<TAnswer>(Func<ValueTask<TAnswer>> ask, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            return await ask().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<InputResponse?> CarryAsync(GatewayQuestion question, CancellationToken ct)
    {
        await _turn.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            _questions.Writer.TryWrite(question);
            try
            {
                return await question.Answer.WaitAsync(ct).ConfigureAwait(false);
            }
            finally
            {
                question.Withdraw();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The next question to carry, or null once <paramref name="work"/> has ended.</summary>
    public async Task<GatewayQuestion?> NextQuestionAsync(Task work, CancellationToken ct)
    {
        while (!work.IsCompleted)
        {
            Task ready = _questions.Reader.WaitToReadAsync(ct).AsTask();
            await Task.WhenAny(work, ready).ConfigureAwait(false);
            if (_questions.Reader.TryRead(out GatewayQuestion? question) && question.IsOpen)
            {
                return question;
            }

            ct.ThrowIfCancellationRequested();
        }

        return null;
    }
}
