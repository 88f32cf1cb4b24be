using Mcp.Guard.Audit;

namespace Mcp.Guard.Benchmarks.Calls;

/// <summary>Files that take every byte and hold none: the embedded log without its system calls.</summary>
internal sealed class NullAuditStorage : IAuditStorage, IAuditStorageFile, IDisposable
{
    public void CreateDirectory(string directory)
    {
    }

    public IDisposable Lock(string directory) => this;

    public IReadOnlyList<string> List(string directory) => [];

    public IAuditStorageFile Open(string path, bool createNew) => this;

    /// <summary>The one file that is read back: the key of the digests.</summary>
    public Stream OpenRead(string path) => new MemoryStream(new byte[AuditDigest.KeyBytes]);

    public bool Exists(string path) => false;

    public void Rename(string path, string newPath)
    {
    }

    public void Delete(string path)
    {
    }

    public void SyncDirectory(string directory)
    {
    }

    public int Write(ReadOnlySpan<byte> data, long offset) => data.Length;

    public void Sync()
    {
    }

    public void SetLength(long length)
    {
    }

    public void Dispose()
    {
    }
}
