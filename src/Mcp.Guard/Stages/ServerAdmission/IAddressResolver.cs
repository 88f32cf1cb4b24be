using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>Asks DNS. Tests put their own answers here.</summary>
internal interface IAddressResolver
{
    /// <summary>The addresses of a name, in the order to try; empty where it has none.</summary>
    ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken ct);
}
