using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>A file system in memory, for tests that read or write many logs.</summary>
internal sealed class MemoryAuditStorage : IAuditStorage
{
    private readonly Lock _gate = new();
    private bool _locked;

    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public long TotalBytes => Files.Sum(static file => (long)file.Value.Length);

    public MemoryAuditStorage Copy()
    {
        var copy = new MemoryAuditStorage();
        foreach ((string path, byte[] content) in Files)
        {
            copy.Files[path] = [.. content];
        }

        return copy;
    }

    public void CreateDirectory(string directory)
    {
    }

    public IDisposable Lock(string directory)
    {
        lock (_gate)
        {
            _locked = !_locked ? true : throw new AuditUnavailableException($"'{directory}' is in use");
        }

        return new Unlock(this);
    }

    public IReadOnlyList<string> List(string directory)
    {
        lock (_gate)
        {
            return [.. Files.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path))];
        }
    }

    public IAuditStorageFile Open(string path, bool createNew)
    {
        lock (_gate)
        {
            if (createNew == Files.ContainsKey(path))
            {
                throw new IOException($"'{path}' exists: {!createNew}");
            }

            if (createNew)
            {
                Files[path] = [];
            }

            return new MemoryFile(this, path);
        }
    }

    public Stream OpenRead(string path)
    {
        lock (_gate)
        {
            return Files.TryGetValue(path, out byte[]? content) ? new MemoryStream(content, writable: false) : throw new FileNotFoundException(path);
        }
    }

    public bool Exists(string path)
    {
        lock (_gate)
        {
            return Files.ContainsKey(path);
        }
    }

    public void Rename(string path, string newPath)
    {
        lock (_gate)
        {
            Files[newPath] = Files[path];
            Files.Remove(path);
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
        {
            Files.Remove(path);
        }
    }

    public void SyncDirectory(string directory)
    {
    }

    private sealed class MemoryFile(MemoryAuditStorage owner, string path) : IAuditStorageFile
    {
        public int Write(ReadOnlySpan<byte> data, long offset)
        {
            lock (owner._gate)
            {
                byte[] content = owner.Files[path];
                if (content.Length < offset + data.Length)
                {
                    Array.Resize(ref content, (int)offset + data.Length);
                }

                data.CopyTo(content.AsSpan((int)offset));
                owner.Files[path] = content;
            }

            return data.Length;
        }

        public void Sync()
        {
        }

        public void SetLength(long length)
        {
            lock (owner._gate)
            {
                byte[] content = owner.Files[path];
                Array.Resize(ref content, (int)length);
                owner.Files[path] = content;
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Unlock(MemoryAuditStorage owner) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate)
            {
                owner._locked = false;
            }
        }
    }
}
