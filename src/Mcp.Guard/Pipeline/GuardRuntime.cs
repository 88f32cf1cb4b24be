using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.KillSwitch;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>The parts of one guard that all of its connections share.</summary>
internal sealed class GuardRuntime
{
    public required IPolicySource Policy { get; init; }

    public required GuardPipeline Pipeline { get; init; }

    public required HaltSwitch Halts { get; init; }

    public required ISchemaCompiler Schemas { get; init; }

    public required IPinStore Pins { get; init; }

    public required IContentSanitizer Sanitizer { get; init; }

    /// <summary>Compiled tools by definition, shared by all connections.</summary>
    public required ToolEntryCache Tools { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Starts the guard where no host has: reads the stops, opens the audit. Set once, when the guard is put together.</summary>
    public Func<CancellationToken, Task> StartAsync { get; set; } = static _ => throw new InvalidOperationException("the guard is not put together");

    /// <summary>Sampling requests inside results that wait for the host's answer.</summary>
    public SamplingInputs SamplingInputs { get; } = new();

    /// <summary>The transports that are connected, so that a stop reaches running calls.</summary>
    public ConnectionRegistry Connections { get; } = new();
}
