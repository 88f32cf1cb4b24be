using Mcp.Guard.Audit;
using Mcp.Guard.Hosting;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.KillSwitch;
using Mcp.Guard.Stages.Redaction;
using Mcp.Guard.Stages.ServerRequests;
using Mcp.Guard.Stages.ToolPinning;
using Microsoft.Extensions.Logging;

namespace Mcp.Guard.Pipeline;

/// <summary>The parts of one guard that all of its connections share.</summary>
internal sealed class GuardRuntime
{
    public required IPolicySource Policy { get; init; }

    public required GuardPipeline Pipeline { get; init; }

    public required HaltSwitch Halts { get; init; }

    public required ISchemaCompiler Schemas { get; init; }

    /// <summary>Judges what the host answers to requests of servers.</summary>
    public required HostAnswerCheck Answers { get; init; }

    public required PinRegister Pins { get; init; }

    /// <summary>Definitions that wait for a person.</summary>
    public required ToolReviews Reviews { get; init; }

    public required IContentSanitizer Sanitizer { get; init; }

    public required ContentRedaction Redaction { get; init; }

    /// <summary>Compiled tools by definition, shared by all connections.</summary>
    public required ToolEntryCache Tools { get; init; }

    /// <summary>What is on record of the tools that servers list.</summary>
    public CatalogRecords CatalogRecords { get; } = new();

    /// <summary>Prompts and grants, for what asks people outside the stages.</summary>
    public required ConsentService Consent { get; init; }

    /// <summary>What <c>requireCaller</c> is where the policy says nothing: true for gateways and web hosts, which serve many users.</summary>
    public bool RequiresCaller { get; init; }

    /// <summary>Whether calls to a server need a caller of the host's: what the policy says, else what kind of host this is.</summary>
    public bool NeedsCaller(ServerSettings settings) => settings.RequireCaller ?? RequiresCaller;

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>From when on a connection over which too much comes is ended.</summary>
    public AuditFloodOptions Flood { get; init; } = new();

    /// <summary>Whether what the rules deny is shown in lists all the same, for it passes.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The servers that were disconnected for it.</summary>
    public EndedServers Floods { get; } = new();

    /// <summary>Servers that were ended because they passed a limit of their isolation.</summary>
    public EndedServers OverLimit { get; } = new();

    /// <summary>Starts the guard where no host has: reads the stops, opens the audit. Set once, when the guard is put together.</summary>
    public Func<CancellationToken, Task> StartAsync { get; set; } = static _ => throw new InvalidOperationException("the guard is not put together");

    /// <summary>Sampling requests inside results that wait for the host's answer.</summary>
    public SamplingInputs SamplingInputs { get; } = new();

    /// <summary>The transports that are connected, so that a stop reaches running calls.</summary>
    public required ConnectionRegistry Connections { get; init; }

    /// <summary>The tool names of all connected servers.</summary>
    public CatalogNames Names { get; } = new();
}
