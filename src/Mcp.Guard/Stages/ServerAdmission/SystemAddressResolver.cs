using System.Net;

namespace Mcp.Guard.Stages.ServerAdmission;

/// <summary>The resolver of the operating system.</summary>
internal sealed class SystemAddressResolver : IAddressResolver
{
    public static SystemAddressResolver Instance { get; } = new();

    public async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken ct) =>
        await Dns.GetHostAddressesAsync(host, ct).ConfigureAwait(false);
}
