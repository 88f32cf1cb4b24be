namespace Mcp.Guard;

/// <summary>What a record tells.</summary>
public enum AuditKind
{
    /// <summary>Not a valid kind.</summary>
    None = 0,

    /// <summary>The guard started: the parts in force and the policy revision.</summary>
    Start = 1,

    /// <summary>A call was judged and is about to leave. Written before it does.</summary>
    Intent = 2,

    /// <summary>A message was denied.</summary>
    Denial = 3,

    /// <summary>A forwarded call ended: delivered, changed, denied, failed, timed out or abandoned.</summary>
    Outcome = 4,

    /// <summary>A person was asked, answered, or did not.</summary>
    Consent = 5,

    /// <summary>A connection was admitted, refused or ended.</summary>
    Connection = 6,

    /// <summary>A server's catalogue was read: pins made, changes found.</summary>
    Catalog = 7,

    /// <summary>The policy was loaded, reloaded, or a bad one kept out.</summary>
    Policy = 8,

    /// <summary>A stop was set or ended.</summary>
    Halt = 9,

    /// <summary>The server sent what belongs to no call, or is not permitted; possibly many in one record.</summary>
    ServerMessage = 10,

    /// <summary>The log itself: segments, retention, recovery, dropped records.</summary>
    Log = 11,
}
