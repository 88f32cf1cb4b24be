namespace Mcp.Guard.Packages;

/// <summary>A server package cannot be installed or is not as it was installed. The message names the fault and the fix; it is for the host's author.</summary>
internal sealed class PackageException(string message) : Exception(message);
