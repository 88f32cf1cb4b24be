using System.Runtime.InteropServices;

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

        // O_RDONLY | O_CLOEXEC, whose value differs between the two systems.
        int descriptor = OpenPath(directory, OperatingSystem.IsLinux() ? 0x80000 : 0x1000000);
        if (descriptor < 0)
        {
            throw new IOException($"cannot open the folder '{directory}' to synchronise it (error {Marshal.GetLastPInvokeError()})");
        }

        try
        {
            // Some file systems refuse to synchronise a folder; they keep names by other means.
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
            {
                throw new IOException($"cannot synchronise the folder '{directory}' (error {Marshal.GetLastPInvokeError()})");
            }
        }
        finally
        {
            _ = ClosePath(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenPath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ClosePath(int descriptor);
}
