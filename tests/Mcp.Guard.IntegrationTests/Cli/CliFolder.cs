namespace Mcp.Guard.IntegrationTests.Cli;

/// <summary>A folder for one run of the command: servers of another user can read it, and read-only copies of packages in it can be removed.</summary>
internal sealed class CliFolder : IDisposable
{
    public CliFolder()
    {
        FullPath = Directory.CreateTempSubdirectory("mcp-guard-cli-").FullName;
        Open(FullPath);
    }

    public string FullPath { get; }

    public string this[string name] => Path.Combine(FullPath, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public string Folder(string name)
    {
        string folder = Directory.CreateDirectory(this[name]).FullName;
        Open(folder);
        return folder;
    }

    public void Dispose()
    {
        foreach (string folder in Directory.EnumerateDirectories(FullPath, "*", SearchOption.AllDirectories).Prepend(FullPath))
        {
            if (!OperatingSystem.IsWindows() && new DirectoryInfo(folder).LinkTarget is null)
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Directory.Delete(FullPath, recursive: true);
    }

    private static void Open(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, (UnixFileMode)0x1FF);
        }
    }
}
