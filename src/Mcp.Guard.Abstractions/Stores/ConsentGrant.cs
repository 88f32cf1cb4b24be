namespace Mcp.Guard;

/// <summary>A remembered consent: what it covers, for whom and until when. A "never" is remembered the same way.</summary>
public sealed class ConsentGrant
{
    /// <summary>A random id.</summary>
    public required string GrantId { get; init; }

    /// <summary>What a call must be to be covered.</summary>
    public required ConsentBinding Binding { get; init; }

    /// <summary>True where the person said "never": a call that it covers is denied.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>True where the first use ends it.</summary>
    public bool IsSingleUse { get; init; }

    /// <summary>True where <see cref="ConsentBinding.ArgumentsDigest"/> does not count.</summary>
    public bool CoversAnyArguments { get; init; }

    /// <summary>True where <see cref="ConsentBinding.SessionId"/> does not count: the grant holds in all sessions of the user.</summary>
    public bool CoversAnySession { get; init; }

    /// <summary>The first moment at which it no longer holds.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whether a call with this binding at this moment is covered. The server, tool, fingerprint, user and policy revision always count.</summary>
    /// <param name="call">The call's binding.</param>
    /// <param name="now">The moment.</param>
    public bool Covers(in ConsentBinding call, DateTimeOffset now) =>
        now < ExpiresAt
        && string.Equals(Binding.Server, call.Server, StringComparison.Ordinal)
        && string.Equals(Binding.Method, call.Method, StringComparison.Ordinal)
        && string.Equals(Binding.Tool, call.Tool, StringComparison.Ordinal)
        && string.Equals(Binding.UserId, call.UserId, StringComparison.Ordinal)
        && (IsRefusal || string.Equals(Binding.Fingerprint, call.Fingerprint, StringComparison.Ordinal))
        && (IsRefusal || string.Equals(Binding.PolicyRevision, call.PolicyRevision, StringComparison.Ordinal))
        && (CoversAnySession || string.Equals(Binding.SessionId, call.SessionId, StringComparison.Ordinal))
        && (CoversAnyArguments || string.Equals(Binding.ArgumentsDigest, call.ArgumentsDigest, StringComparison.Ordinal));
}
