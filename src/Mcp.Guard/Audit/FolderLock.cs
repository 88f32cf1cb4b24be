using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Mcp.Guard.Audit;

/// <summary>
/// Holds a folder for one process: the lock file, and on Unix the folder itself, by flock(2). .NET locks files there only as long as nobody switches that off
/// (<c>DOTNET_SYSTEM_IO_DISABLEFILELOCKING</c>) and passes over systems that refuse; and a lock file can be removed.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const int ExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

    private readonly FileStream _file;
    private readonly SafeFileHandle? _folder;

    /// <param name="file">The lock file, open for this process alone as far as .NET sees to it.</param>
    /// <param name="directory">The folder.</param>
    /// <exception cref="IOException">Another process, or another part of this one, holds it.</exception>
    /// <exception cref="AuditUnavailableException">The file system has no such locks.</exception>
    public FolderLock(FileStream file, string directory)
    {
        _file = file;
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        int error = Take(file.SafeFileHandle);
        if (error != 0)
        {
            throw error == Busy
                ? new IOException("the lock file is locked")
                : new AuditUnavailableException(string.Create(
                    CultureInfo.InvariantCulture, $"the audit folder '{directory}' cannot be locked ({Marshal.GetPInvokeErrorMessage(error)}, error {error}); put it on a file system with locks"));
        }

        _folder = DirectorySync.Open(directory);

        // Some file systems lock files only; there the lock file has to do.
        if (Take(_folder) is var refused && refused == Busy)
        {
            _folder.Dispose();
            throw new IOException("the folder itself is locked");
        }
    }

    private static int Busy => OperatingSystem.IsLinux() ? 11 : 35; // EWOULDBLOCK

    public void Dispose()
    {
        _folder?.Dispose();
        _file.Dispose();
    }

    private static int Take(SafeFileHandle handle) => Flock((int)handle.DangerousGetHandle(), ExclusiveNow) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flock(int descriptor, int operation);
}
