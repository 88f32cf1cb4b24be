namespace Mcp.Guard.Audit;

/// <summary>A file that the log writes.</summary>
internal interface IAuditStorageFile : IDisposable
{
    /// <summary>Writes at an offset and returns how many bytes were taken, which may be fewer than given.</summary>
    int Write(ReadOnlySpan<byte> data, long offset);

    /// <summary>Makes what was written survive a loss of power.</summary>
    void Sync();

    void SetLength(long length);
}
