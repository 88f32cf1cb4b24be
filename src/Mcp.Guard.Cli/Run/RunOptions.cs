namespace Mcp.Guard.Cli.Run;

/// <summary>What <c>mcp-guard run</c> was told on its command line.</summary>
internal sealed record RunOptions
{
    public required string Policy { get; init; }

    public bool IsHttp { get; init; }

    /// <summary>0 for a free one.</summary>
    public int Port { get; init; }

    public bool IsDryRun { get; init; }

    /// <summary>The callers, as typed; empty for the account that runs the command.</summary>
    public IReadOnlyList<string> Callers { get; init; } = [];

    public RunConsent Consent { get; init; }

    public string? Audit { get; init; }

    public string? TokenFile { get; init; }

    public bool PlainNames { get; init; }
}
