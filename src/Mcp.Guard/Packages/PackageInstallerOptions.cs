namespace Mcp.Guard.Packages;

/// <summary>Where packages come from, and how long a client may take.</summary>
internal sealed record PackageInstallerOptions
{
    /// <summary>The npm registry's URL; null is the one npm is configured for.</summary>
    public string? NpmRegistry { get; init; }

    /// <summary>The NuGet source, a URL or a folder; null are those NuGet is configured for.</summary>
    public string? NugetSource { get; init; }

    /// <summary>The longest a client may take for one step.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
