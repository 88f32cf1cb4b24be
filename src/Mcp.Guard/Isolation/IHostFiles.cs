namespace Mcp.Guard.Isolation;

/// <summary>What planning needs to know of the host's files; a seam so that plans can be made and reviewed for other machines.</summary>
internal interface IHostFiles
{
    /// <summary>Follows every link of an absolute path; null where nothing is there.</summary>
    HostFile? Resolve(string path);
}
