using System.Collections.Concurrent;

namespace Mcp.Guard.Testing;

/// <summary>Answers consent prompts as a test says, in order, and keeps what was asked. With no answer left it says no.</summary>
public sealed class ScriptedConsentProvider : IConsentProvider
{
    private readonly ConcurrentQueue<Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>>> _answers = new();
    private readonly ConcurrentQueue<ConsentRequest> _requests = new();

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyCollection<ConsentRequest> Requests => _requests;

    /// <summary>Adds an answer to the next unanswered prompt.</summary>
    /// <param name="answer">Makes the answer from the request: <c>ConsentAnswer.AllowOnce</c>, for example.</param>
    public ScriptedConsentProvider Then(Func<ConsentRequest, ConsentAnswer> answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return Then((request, _) => new(answer(request)));
    }

    /// <summary>Adds an answer that takes time, fails or never comes.</summary>
    /// <param name="answer">Makes the answer.</param>
    public ScriptedConsentProvider Then(Func<ConsentRequest, CancellationToken, ValueTask<ConsentAnswer>> answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        _answers.Enqueue(answer);
        return this;
    }

    /// <inheritdoc/>
    public ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        _requests.Enqueue(request);
        return _answers.TryDequeue(out var answer) ? answer(request, ct) : new(ConsentAnswer.Deny(request));
    }
}
