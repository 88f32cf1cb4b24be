using System.Runtime.InteropServices;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Descriptors that started programs inherit, as a careless native library opens them.</summary>
internal static class Inheritable
{
    private const int GetFlags = 1;

    /// <summary>dup(2) leaves close-on-exec off.</summary>
    [DllImport("libc", EntryPoint = "dup")]
    public static extern int Duplicate(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    public static extern int Close(int descriptor);

    public static bool IsInheritable(int descriptor) => Control(descriptor, GetFlags, 0) == 0;

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int Control(int descriptor, int command, int argument);
}
