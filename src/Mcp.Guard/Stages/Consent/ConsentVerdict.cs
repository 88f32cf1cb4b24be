namespace Mcp.Guard.Stages.Consent;

/// <summary>Whether a call has a person's consent. An uninitialised value denies.</summary>
internal readonly struct ConsentVerdict
{
    private readonly string? _code;
    private readonly string? _text;

    private ConsentVerdict(bool allowed, bool wasAsked, string? code, string? text, TimeSpan? retryAfter)
    {
        IsAllowed = allowed;
        WasAsked = wasAsked;
        _code = code;
        _text = text;
        RetryAfter = retryAfter;
    }

    /// <summary>True where the call may go on.</summary>
    public bool IsAllowed { get; }

    /// <summary>True where a person answered now, so that every stage judges again; false where a grant covered the call.</summary>
    public bool WasAsked { get; }

    /// <summary>The denial code; empty where allowed.</summary>
    public string Code => IsAllowed ? string.Empty : _code ?? GuardDenialCodes.GuardFault;

    /// <summary>For the audit: why it was denied, or what allowed it (a grant's id, or the answer).</summary>
    public string Note => _text ?? "consent was not judged";

    /// <summary>When asking can succeed again, where known.</summary>
    public TimeSpan? RetryAfter { get; }

    public static ConsentVerdict ByGrant(string grantId) => new(true, false, null, grantId, null);

    public static ConsentVerdict ByAnswer(string note) => new(true, true, null, note, null);

    public static ConsentVerdict Denied(string code, string reason, TimeSpan? retryAfter = null) => new(false, false, code, reason, retryAfter);
}
