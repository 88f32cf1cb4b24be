using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Files of a machine that is only described: every listed path is there, others are not.</summary>
internal sealed class FakeFiles(params string[] folders) : IHostFiles
{
    public HostFile? Resolve(string path) =>
        path == "/" || Array.Exists(folders, folder => folder == path)
            ? new HostFile(path, Path.HasExtension(path) ? HostFileKind.File : HostFileKind.Folder, null, null, [])
            : null;

    public IReadOnlyList<string> Folders(string folder, int most) => [];

    public ReadOnlyMemory<byte>? Read(string path, int longest) => null;
}
