namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>Where an IP address leads, as far as admission matters.</summary>
internal enum AddressScope
{
    /// <summary>Not for connections, or not routed: unspecified, multicast, documentation, tunnels, reserved.</summary>
    Reserved = 0,

    /// <summary>A cloud's metadata service or another service of the machine's host.</summary>
    Metadata,

    /// <summary>Only the local link: 169.254.0.0/16, fe80::/10.</summary>
    LinkLocal,

    /// <summary>This machine.</summary>
    Loopback,

    /// <summary>A private network: RFC 1918, RFC 6598, RFC 4193.</summary>
    Private,

    /// <summary>Globally routed.</summary>
    Public,
}
