namespace Mcp.Guard.Policy;

/// <summary>From where a packaged server comes.</summary>
internal enum PackageKind
{
    /// <summary>The npm registry.</summary>
    Npm = 0,

    /// <summary>NuGet, as a .NET tool.</summary>
    Dotnet = 1,
}
