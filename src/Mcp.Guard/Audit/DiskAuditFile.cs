namespace Mcp.Guard.Audit;

/// <summary>A file on the real file system, written at offsets without a buffer of its own.</summary>
internal sealed class DiskAuditFile(FileStream stream) : IAuditStorageFile
{
    public int Write(ReadOnlySpan<byte> data, long offset)
    {
        RandomAccess.Write(stream.SafeFileHandle, data, offset);
        return data.Length;
    }

    public void Sync() => RandomAccess.FlushToDisk(stream.SafeFileHandle);

    public void SetLength(long length) => RandomAccess.SetLength(stream.SafeFileHandle, length);

    public void Dispose() => stream.Dispose();
}
