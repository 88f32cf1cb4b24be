using System.Diagnostics.CodeAnalysis;

namespace Mcp.Guard.Audit;

/// <summary>
/// The log's file operations on the real file system. Everything it makes is readable by the current user only; links, pipes and devices that lie under the
/// name of a file are neither followed nor opened, for opening alone can block or act.
/// </summary>
internal sealed class DiskAuditStorage : IAuditStorage
{
    public const string LockName = "audit.lock";

    public static DiskAuditStorage Instance { get; } = new();

    public void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if ((File.GetUnixFileMode(directory) & UnixFileMode.OtherWrite) != 0)
            {
                throw new AuditUnavailableException($"every user of this machine may write the audit folder '{directory}'; take that right away (chmod o-w), or name another folder");
            }
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The stream is the lock; the caller disposes it.")]
    public IDisposable Lock(string directory)
    {
        string path = Path.Combine(directory, LockName);
        RefuseForeign(path);
        FileStream? file = null;
        try
        {
            // The operating system drops this lock with the process, however it ends. The file stays; the folder is locked too, because two processes
            // could hold two files of the same name where somebody removes one.
            file = OpenStream(path, FileMode.OpenOrCreate, FileShare.None);
            return new FolderLock(file, directory);
        }
        catch (IOException refused) when (File.Exists(path))
        {
            file?.Dispose();
            throw new AuditUnavailableException(
                $"the audit folder '{directory}' is in use by another process or sink; give each its own audit.directory", refused);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    public IReadOnlyList<string> List(string directory)
    {
        string[] paths = Directory.GetFiles(directory);
        for (int i = 0; i < paths.Length; i++)
        {
            paths[i] = Path.GetFileName(paths[i]);
        }

        return paths;
    }

    public IAuditStorageFile Open(string path, bool createNew) =>
        new DiskAuditFile(OpenStream(path, createNew ? FileMode.CreateNew : FileMode.Open, FileShare.Read | FileShare.Delete));

    public Stream OpenRead(string path)
    {
        RefuseForeign(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }

    public bool Exists(string path) => File.Exists(path);

    public void Rename(string path, string newPath) => File.Move(path, newPath, overwrite: true);

    public void Delete(string path) => File.Delete(path);

    public void SyncDirectory(string directory) => DirectorySync.Sync(directory);

    /// <exception cref="IOException">Something else than a regular file lies under the name.</exception>
    private static void RefuseForeign(string path)
    {
        FileNodeKind kind = FileNode.KindOf(path);
        if (kind is not (FileNodeKind.RegularFile or FileNodeKind.Missing))
        {
            throw new IOException($"'{path}' is {(kind == FileNodeKind.Link ? "a link" : "no regular file")}; the log's files are regular files, move it away");
        }
    }

    private static FileStream OpenStream(string path, FileMode mode, FileShare share)
    {
        RefuseForeign(path);
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
