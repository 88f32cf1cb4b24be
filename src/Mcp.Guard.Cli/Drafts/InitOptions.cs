using Mcp.Guard.Packages;

namespace Mcp.Guard.Cli.Drafts;

/// <summary>What <c>mcp-guard init</c> was asked for. Paths are absolute.</summary>
internal sealed record InitOptions
{
    public string? Command { get; init; }

    public string? Package { get; init; }

    public string? Url { get; init; }

    /// <summary>A client's configuration.</summary>
    public string? From { get; init; }

    public required string Output { get; init; }

    public string? Name { get; init; }

    public IReadOnlyList<string> Roots { get; init; } = [];

    public IReadOnlyList<string> Readable { get; init; } = [];

    /// <summary><c>NAME</c> or <c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    public bool AllowReadOnly { get; init; }

    public bool IsIsolated { get; init; } = true;

    public bool Yes { get; init; }

    public bool Force { get; init; }

    public string? PackageStore { get; init; }

    public string? StateDirectory { get; init; }

    public PackageInstallerOptions Installer { get; init; } = new();

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    public IReadOnlyList<string> Arguments { get; init; } = [];
}
