namespace Mcp.Guard.State;

/// <summary>Keeps other processes away from a state file while it is held: an open file beside it that nobody else may open.</summary>
internal sealed class StateFileLock : IDisposable
{
    private readonly FileStream _stream;

    private StateFileLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock, or null where another process holds it.</summary>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static StateFileLock? TryTake(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new StateFileLock(new FileStream(path + ".lock", options));
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _stream.Dispose();
}
