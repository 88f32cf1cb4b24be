using Microsoft.Extensions.Hosting;

namespace Mcp.Guard.Gateway;

/// <summary>Makes the gateway, and with it checks its configuration, before any client is served.</summary>
internal sealed class GatewayStartup(GatewayServer gateway) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        gateway.Check();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
