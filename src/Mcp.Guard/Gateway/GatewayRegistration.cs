using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>Marks the host as a gateway.</summary>
internal sealed class GatewayRegistration(IServiceCollection services)
{
    /// <summary>
    /// True where the only client is the one at the other end of the host's own streams: the SDK registers that transport as a service, and nothing serves
    /// HTTP. A message without a user is then the local user's; with HTTP in the host it could be anybody's. Read when the gateway is made, for transports
    /// may be added after <c>WithMcpGuard</c>.
    /// </summary>
    public bool IsLocal =>
        services.Any(static descriptor => descriptor.ServiceType == typeof(ITransport))
        && !services.Any(static descriptor => string.Equals(descriptor.ServiceType.Assembly.GetName().Name, "ModelContextProtocol.AspNetCore", StringComparison.Ordinal));
}
