using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ResultLimit;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>
/// Starts a server process in its isolation and gives the SDK bounded streams: the SDK's own stdio transport hides its process, wraps commands in a shell on
/// Windows and reads lines of any length.
/// </summary>
internal sealed class ServerProcessTransport(
    ServerSettings settings, IsolationOptions options, ReplyBounds bounds, IContentSanitizer sanitizer, TimeProvider time, ILoggerFactory loggers) : IClientTransport
{
    /// <summary>What one line may hold besides the result: the envelope.</summary>
    public const int EnvelopeBytes = 64 * 1024;

    public string Name => settings.Id;

    public async Task<ITransport> ConnectAsync(CancellationToken cancellationToken = default)
    {
        ILogger logger = loggers.CreateLogger("Mcp.Guard.Isolation");
        ServerProcess process;
        try
        {
            IsolationPlan plan = IsolationPlanner.Create(options, IsolationHost.Detect());
            process = await ServerProcess.StartAsync(
                plan,
                new ServerProcessOptions
                {
                    Time = time,
                    WrapOutput = stream => new BoundedLineStream(stream, settings.Limits.Results.MaxBytes + EnvelopeBytes, bounds.Report),
                    SanitizeError = new StandardErrorText(sanitizer, [.. options.Environment.Where(variable => variable.Secret).Select(variable => variable.Value)]).Clean,
                },
                logger,
                cancellationToken).ConfigureAwait(false);
        }
        catch (IsolationException unavailable)
        {
            // Written by the guard about the host's own machine: the host's author needs it, and it names the fix.
            throw new McpGuardException($"The server '{settings.Id}' was not started: {unavailable.Message}");
        }

        if (options.Mode == Isolation.IsolationMode.None)
        {
            HostingLog.NotIsolated(logger, settings.Id);
        }

        HostingLog.ServerStarted(logger, settings.Id, process.Plan.Mode);
        try
        {
            // Reading with a thread of its own needs a read that the end of the connection ends.
            ITransport streams = process.EndsReads
                ? new ServerLineTransport(settings.Id, process.Input, process.Output, loggers.CreateLogger<ServerLineTransport>(), time)
                : await new StreamClientTransport(new LineWriteStream(process.Input), process.Output, loggers).ConnectAsync(cancellationToken).ConfigureAwait(false);
            return new ServerProcessSession(streams, process);
        }
        catch
        {
            await process.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
