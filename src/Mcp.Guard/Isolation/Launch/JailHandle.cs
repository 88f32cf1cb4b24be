using System.Globalization;

namespace Mcp.Guard.Isolation.Launch;

/// <summary>The first process of a box, held so that a signal reaches it and never a process that got its id later. Its end ends the box.</summary>
internal sealed class JailHandle : IDisposable
{
    private readonly int _descriptor;
    private int _disposed;

    private JailHandle(int descriptor) => _descriptor = descriptor;

    /// <summary>Opens it; null on kernels without such descriptors, where ending bwrap itself ends the box.</summary>
    public static JailHandle? TryOpen(int pid)
    {
        int descriptor = LinuxNative.OpenPidDescriptor(pid);
        return descriptor < 0 ? null : new JailHandle(descriptor);
    }

    /// <summary>Reads <c>"child-pid": N</c> from what bwrap answers.</summary>
    public static bool TryReadChild(ReadOnlySpan<char> answer, out int pid)
    {
        const string Name = "\"child-pid\":";
        pid = 0;
        int at = answer.IndexOf(Name, StringComparison.Ordinal);
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<char> rest = answer[(at + Name.Length)..].TrimStart();
        int length = rest.IndexOfAnyExceptInRange('0', '9');
        return length > 0 && int.TryParse(rest[..length], NumberStyles.None, CultureInfo.InvariantCulture, out pid) && pid > 1;
    }

    public bool Kill() => Volatile.Read(ref _disposed) == 0 && LinuxNative.SignalPidDescriptor(_descriptor, LinuxNative.SigKill);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _ = LinuxNative.Close(_descriptor);
        }
    }
}
