using Microsoft.Extensions.Hosting;

namespace Mcp.Guard.Hosting;

/// <summary>Makes the guard, and with it checks everything, before any other service of the host starts.</summary>
internal sealed class GuardStartup(McpGuardHost guard) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => guard.StartAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
