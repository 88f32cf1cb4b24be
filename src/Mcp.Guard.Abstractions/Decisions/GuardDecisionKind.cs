namespace Mcp.Guard;

/// <summary>What a stage decided. There is no "allow": no stage can overrule the denial of another.</summary>
public enum GuardDecisionKind
{
    /// <summary>The message is stopped. The value of an uninitialised decision.</summary>
    Deny = 0,

    /// <summary>This stage has no objection; the next stage judges.</summary>
    Continue = 1,

    /// <summary>The payload is changed; all earlier stages judge the new payload again.</summary>
    Replace = 2,

    /// <summary>A person must agree before the message passes. Not offered to stages after Consent.</summary>
    AskConsent = 3,
}
