using Mcp.Guard.Policy;

namespace Mcp.Guard.Packages;

/// <summary>What the lock says of one installed package.</summary>
/// <param name="Kind">The registry.</param>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Its exact version.</param>
/// <param name="Integrity">What the registry gave, as <c>sha512-</c> and base64: of the npm tarball, or of the content of the nupkg.</param>
/// <param name="Tree">SHA-512 over every file of the installed copy, lower-case hexadecimal.</param>
/// <param name="Dependencies">npm: the lock file with the integrity of every dependency, so that a second install gives the same; null for .NET tools.</param>
internal sealed record PackageRecord(PackageKind Kind, string Name, string Version, string Integrity, string Tree, string? Dependencies);
