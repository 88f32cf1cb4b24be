using Mcp.Guard.Isolation;

namespace Mcp.Guard.IntegrationTests.Isolation;

/// <summary>Files of a machine that is only described: the listed ones are one user's, who alone may write them; every folder above is root's.</summary>
internal sealed class OwnedFiles(JailUser owner, params string[] paths) : IHostFiles
{
    public HostFile? Resolve(string path) => Array.Exists(paths, owned => owned == path)
        ? new HostFile(path, Path.HasExtension(path) ? HostFileKind.File : HostFileKind.Folder, owner, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead, [])
        : Array.Exists(paths, owned => HostPaths.IsAtOrUnder(owned, path)) || path is "/etc"
            ? new HostFile(path, HostFileKind.Folder, new JailUser(0, 0), UnixFileMode.UserWrite | UnixFileMode.OtherRead, [])
            : null;

    public IReadOnlyList<string> Folders(string folder, int most) => [];

    public ReadOnlyMemory<byte>? Read(string path, int longest) => null;
}
