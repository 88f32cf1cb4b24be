namespace Mcp.Guard.Isolation;

/// <summary>How much network a server has.</summary>
internal enum IsolationNetwork
{
    /// <summary>None: no interface but an own loopback, and no internet sockets at all.</summary>
    None = 0,

    /// <summary>An own loopback interface, on which only the server's own processes can be reached.</summary>
    Loopback,

    /// <summary>The host's network, loopback services included.</summary>
    Host,
}
