using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>Passes every file operation on, counts it, and lets a test fail, shorten or hold the ones that it names.</summary>
internal sealed class FaultyAuditStorage(IAuditStorage inner) : IAuditStorage
{
    private int _operations;

    /// <summary>Decides what happens to an operation: its number from 0, and its name.</summary>
    public Func<int, string, AuditFault> Plan { get; set; } = static (_, _) => AuditFault.None;

    /// <summary>Held operations wait here.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: false);

    /// <summary>Set when an operation begins to wait.</summary>
    public ManualResetEventSlim Held { get; } = new(initialState: false);

    public int Operations => Volatile.Read(ref _operations);

    public List<string> Log { get; } = [];

    public void CreateDirectory(string directory)
    {
        Meet("createDirectory");
        inner.CreateDirectory(directory);
    }

    public IDisposable Lock(string directory)
    {
        Meet("lock");
        return inner.Lock(directory);
    }

    public IReadOnlyList<string> List(string directory)
    {
        Meet("list");
        return inner.List(directory);
    }

    public IAuditStorageFile Open(string path, bool createNew)
    {
        Meet(createNew ? "create" : "open");
        return new FaultyFile(this, inner.Open(path, createNew));
    }

    public Stream OpenRead(string path)
    {
        Meet("openRead");
        return inner.OpenRead(path);
    }

    public bool Exists(string path) => inner.Exists(path);

    public void Rename(string path, string newPath)
    {
        Meet("rename");
        inner.Rename(path, newPath);
    }

    public void Delete(string path)
    {
        Meet("delete");
        inner.Delete(path);
    }

    public void SyncDirectory(string directory)
    {
        Meet("syncDirectory");
        inner.SyncDirectory(directory);
    }

    private AuditFault Meet(string name)
    {
        int number = Interlocked.Increment(ref _operations) - 1;
        lock (Log)
        {
            Log.Add(name);
        }

        AuditFault fault = Plan(number, name);
        switch (fault)
        {
            case AuditFault.Fail:
            case AuditFault.Shorten when name != "write":
                throw new IOException($"no space left on device ({name} {number})");
            case AuditFault.Hold:
                Held.Set();
                Gate.Wait();
                break;
            case AuditFault.Delay:
                Task.Delay(TimeSpan.FromMilliseconds(2)).Wait();
                break;
            default:
                break;
        }

        return fault;
    }

    private sealed class FaultyFile(FaultyAuditStorage owner, IAuditStorageFile file) : IAuditStorageFile
    {
        public int Write(ReadOnlySpan<byte> data, long offset)
        {
            // A shortened write takes a part; the rest is asked for in a further operation, which may fail.
            return owner.Meet("write") == AuditFault.Shorten ? file.Write(data[..(data.Length / 2)], offset) : file.Write(data, offset);
        }

        public void Sync()
        {
            owner.Meet("sync");
            file.Sync();
        }

        public void SetLength(long length)
        {
            owner.Meet("setLength");
            file.SetLength(length);
        }

        public void Dispose() => file.Dispose();
    }
}
