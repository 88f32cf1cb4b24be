namespace Mcp.Guard;

/// <summary>
/// Asks a person. This is what host authors implement. Everything but a timely, matching, explicit "yes" denies:
/// null, unknown values, exceptions, time-outs and answers to another request.
/// </summary>
public interface IConsentProvider
{
    /// <summary>Shows the request and returns the person's answer. A provider is resolved in a scope of its own for each prompt.</summary>
    /// <param name="request">What to show. All text in it that is marked as the server's or the model's is hostile until proved otherwise.</param>
    /// <param name="ct">Cancelled when the caller gives up, the deadline passes or the scope is halted.</param>
    ValueTask<ConsentAnswer> RequestAsync(ConsentRequest request, CancellationToken ct);
}
