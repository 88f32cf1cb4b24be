namespace Mcp.Guard;

/// <summary>How much of arguments and results the audit holds.</summary>
public enum AuditContentMode
{
    /// <summary>Nothing but a keyed digest.</summary>
    None = 0,

    /// <summary>Names of members, types and lengths.</summary>
    Shape = 1,

    /// <summary>The value with credentials and personal data replaced. The default of the policy.</summary>
    Redacted = 2,

    /// <summary>The value as it is.</summary>
    Full = 3,
}
