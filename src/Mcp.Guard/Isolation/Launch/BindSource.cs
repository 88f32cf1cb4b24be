using System.ComponentModel;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>Opens a bind source at the start and makes sure that it is still what was checked when the start was planned.</summary>
internal static class BindSource
{
    /// <summary>
    /// The opened source. bwrap mounts what the descriptor names, so a later swap of the path for a link changes nothing; a swap before is
    /// seen here, because the kernel then gives another path for the descriptor.
    /// </summary>
    public static LinuxDescriptor Open(string server, BindMount mount)
    {
        LinuxDescriptor descriptor;
        try
        {
            descriptor = LinuxDescriptor.OpenPath(mount.Source);
        }
        catch (Win32Exception fault)
        {
            throw new IsolationException(server, IsolationFault.SourceRefused, fault.Message, "Make it exist, or take it out of the policy's readable and writable lists", fault);
        }

        if (string.Equals(descriptor.ResolvedPath(), mount.Source, StringComparison.Ordinal))
        {
            return descriptor;
        }

        descriptor.Dispose();
        throw new IsolationException(
            server,
            IsolationFault.SourceRefused,
            $"{mount.Source} was replaced by a link while the start was prepared",
            "Find out who replaced it: a server may have tried to widen its box");
    }
}
