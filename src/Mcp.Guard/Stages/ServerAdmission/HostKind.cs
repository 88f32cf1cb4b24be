namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>What kind of host a URL or a pattern names.</summary>
internal enum HostKind
{
    /// <summary>None or an unreadable one.</summary>
    None = 0,

    /// <summary>An ordinary name, judged by its DNS answers.</summary>
    Name,

    /// <summary>A name that public DNS does not own: localhost, a single label, <c>.local</c>, <c>.internal</c> and the like.</summary>
    SpecialName,

    /// <summary>An IPv4 address.</summary>
    AddressV4,

    /// <summary>An IPv6 address in brackets.</summary>
    AddressV6,
}
