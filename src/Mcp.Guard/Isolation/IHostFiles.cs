namespace Mcp.Guard.Isolation;

/// <summary>What planning needs to know of the host's files; a seam so that plans can be made and reviewed for other machines.</summary>
internal interface IHostFiles
{
    /// <summary>Follows every link of an absolute path; null where nothing is there.</summary>
    HostFile? Resolve(string path);

    /// <summary>The folders in a folder, in ordinal order, at most so many; none where it cannot be read.</summary>
    IReadOnlyList<string> Folders(string folder, int most);

    /// <summary>The bytes of a file that is no longer than a bound; null where it is, or cannot be read.</summary>
    ReadOnlyMemory<byte>? Read(string path, int longest);
}
