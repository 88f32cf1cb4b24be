using System.Collections.Concurrent;

namespace Mcp.Guard;

/// <summary>
/// A queue of open questions that something else in the process answers: a web page, a chat channel. Use one instance for the guard
/// (<c>UseConsent(pending)</c>) and for whatever shows the questions. An answer that comes too late is ignored.
/// </summary>
public sealed class PendingConsents : IConsentProvider
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Raised when a question was added, on the thread that asks; a handler should only wake up what shows the questions.</summary>
    public event EventHandler<ConsentRequest>? Added;

    /// <summary>The open questions, the one that ends first in front.</summary>
    public IReadOnlyList<ConsentRequest> List()
    {
        List<ConsentRequest> open = [];
        foreach (Entry entry in _entries.Values)
        {
            open.Add(entry.Request);
        }

        open.Sort(static (left, right) => left.Deadline.CompareTo(right.Deadline));
        return open;
    }

    /// <summary>Allows the one call.</summary>
    /// <param name="requestId">The id of an open question.</param>
    /// <param name="answeredBy">Who answered, for the audit.</param>
    /// <returns>False where the question is not open, or no longer.</returns>
    public bool TryApprove(string requestId, string? answeredBy = null) => TryAnswer(
        requestId,
        request => ConsentAnswer.AllowOnce(request).By(answeredBy));

    /// <summary>Denies the call.</summary>
    /// <param name="requestId">The id of an open question.</param>
    /// <param name="answeredBy">Who answered, for the audit.</param>
    /// <returns>False where the question is not open, or no longer.</returns>
    public bool TryDeny(string requestId, string? answeredBy = null) => TryAnswer(
        requestId,
        request => ConsentAnswer.Deny(request).By(answeredBy));

    /// <summary>Gives any answer.</summary>
    /// <param name="requestId">The id of an open question.</param>
    /// <param name="answer">Makes the answer from the question.</param>
    /// <returns>False where the question is not open, or no longer.</returns>
    public bool TryAnswer(string requestId, Func<ConsentRequest, ConsentAnswer> answer)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        ArgumentNullException.ThrowIfNull(answer);
        return _entries.TryGetValue(requestId, out Entry? entry)
            && answer(entry.Request) is { } given
            && entry.Answered.TrySetResult(given);
    }

    /// <inheritdoc/>
    public async ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        var entry = new Entry(request);
        if (!_entries.TryAdd(request.RequestId, entry))
        {
            throw new InvalidOperationException("A question with this id is open already.");
        }

        try
        {
            Added?.Invoke(this, request);
            return await entry.Answered.Task.WaitAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            _entries.TryRemove(request.RequestId, out _);
            entry.Answered.TrySetCanceled(CancellationToken.None);
        }
    }

    private sealed class Entry(ConsentRequest request)
    {
        public ConsentRequest Request => request;

        public TaskCompletionSource<ConsentAnswer> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
