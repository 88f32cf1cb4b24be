using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The parts of a URL that admission judges, as spans of the text or of the caller's buffer.</summary>
internal ref struct ParsedUrl
{
    /// <summary>True for https.</summary>
    public bool IsTls;

    /// <summary>The host in its one canonical spelling: lower case, ASCII, an IPv6 address without brackets.</summary>
    public ReadOnlySpan<char> Host;

    public HostKind HostKind;

    /// <summary>The address of an address host.</summary>
    public IPAddress? Address;

    public int Port;

    /// <summary>From the slash after the authority to the query; may be empty.</summary>
    public ReadOnlySpan<char> Path;

    /// <summary>From the question mark on; may be empty.</summary>
    public ReadOnlySpan<char> Query;
}
