using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Audit;

/// <summary>
/// Synchronises a folder, which .NET cannot open: on Unix a new name survives a loss of power only after fsync of its folder (fsync(2)).
/// Windows has no such call and needs none.
/// </summary>
internal static class DirectorySync
{
    private const int InvalidArgument = 22;

    public static void Sync(string directory)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        using SafeFileHandle folder = Open(directory);

        // Some file systems refuse to synchronise a folder; they keep names by other means.
        if (Fsync((int)folder.DangerousGetHandle()) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
        {
            throw new IOException($"cannot synchronise the folder '{directory}' (error {Marshal.GetLastPInvokeError()})");
        }
    }

    /// <summary>Opens a folder for reading, on Linux and macOS.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle Open(string directory)
    {
        // O_RDONLY | O_CLOEXEC, whose value differs between the two systems.
        int descriptor = OpenPath(directory, OperatingSystem.IsLinux() ? 0x80000 : 0x1000000);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"cannot open the folder '{directory}' (error {Marshal.GetLastPInvokeError()})");
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);
}
