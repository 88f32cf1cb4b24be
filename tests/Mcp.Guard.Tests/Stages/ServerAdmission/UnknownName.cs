using System.Net;
using System.Net.Sockets;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Stages.ServerAdmission;

/// <summary>A resolver that knows no name.</summary>
internal sealed class UnknownName : IAddressResolver
{
    public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken ct) => throw new SocketException((int)SocketError.HostNotFound);
}
