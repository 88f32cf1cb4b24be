using ModelContextProtocol.Client;

namespace Mcp.Guard.Gateway;

/// <summary>A server that calls are passed on to.</summary>
/// <param name="ServerId">Its id in the policy.</param>
/// <param name="Transport">Makes its transport; null where the guard does, as the policy says.</param>
internal sealed record GatewayForwarding(string ServerId, Func<IClientTransport>? Transport);
