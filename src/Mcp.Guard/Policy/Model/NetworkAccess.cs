namespace Mcp.Guard.Policy;

/// <summary>Which network an isolated server sees. A smaller value is stricter.</summary>
internal enum NetworkAccess
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A loopback interface of its own.</summary>
    Loopback = 1,

    /// <summary>The host's.</summary>
    Full = 2,
}
