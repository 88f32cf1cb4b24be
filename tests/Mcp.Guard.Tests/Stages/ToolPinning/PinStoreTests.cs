using Mcp.Guard.Stages.ToolPinning;
using Mcp.Guard.State;
using Mcp.Guard.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mcp.Guard.Tests.Stages.ToolPinning;

[TestFixture]
internal sealed class PinStoreTests
{
    private static readonly McpServerIdentity Files = new("files", "npx server");
    private static readonly McpServerIdentity Notes = new("notes", "npx notes");

    [TestCaseSource(typeof(PinStoreContract), nameof(PinStoreContract.Cases))]
    public Task InMemoryStore_Contract_Holds(string name) => new InMemoryContract().RunAsync(name);

    [TestCaseSource(typeof(PinStoreContract), nameof(PinStoreContract.Cases))]
    public async Task FileStore_Contract_Holds(string name)
    {
        using var folder = new TemporaryFolder();
        await new FileContract(folder).RunAsync(name);
    }

    [Test]
    public async Task FileStore_OpenedAgain_KnowsItsServers()
    {
        using var folder = new TemporaryFolder();
        using (FilePinStore store = Open(folder))
        {
            await store.TryWriteAsync(Files, Catalog(0), default);
        }

        using FilePinStore again = Open(folder);
        PinnedCatalog read = await again.ReadAsync(Files, default);
        Assert.That(read, Has.Property(nameof(PinnedCatalog.Status)).EqualTo(PinnedCatalogStatus.Known).And.Property(nameof(PinnedCatalog.Version)).EqualTo(1));
        Assert.That((await again.ReadAsync(Notes, default)).Status, Is.EqualTo(PinnedCatalogStatus.FirstSight));
    }

    [TestCase("delete")]
    [TestCase("truncate")]
    [TestCase("empty")]
    [TestCase("flip")]
    [TestCase("permissions")]
    public async Task FileStore_LostOrDamaged_IsNoFirstSightUntilWrittenAnew(string damage)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("pins.json");
        using FilePinStore store = Open(folder);
        await store.TryWriteAsync(Files, Catalog(0), default);
        await store.TryWriteAsync(Notes, Catalog(0), default);
        string text = File.ReadAllText(path);
        switch (damage)
        {
            case "delete": File.Delete(path); break;
            case "truncate": File.WriteAllText(path, text[..(text.Length / 2)]); break;
            case "empty": File.WriteAllText(path, string.Empty); break;
            case "flip": File.WriteAllText(path, text.Replace("aaaa", "aaab", StringComparison.Ordinal)); break;
            default:
                if (OperatingSystem.IsWindows())
                {
                    Assert.Ignore("Unix permissions");
                    return;
                }

                File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.GroupWrite);
                break;
        }

        Assert.That((await store.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        Assert.That((await store.ReadAsync(new McpServerIdentity("new", "x"), default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable));
        Assert.That(await store.TryWriteAsync(Files, Catalog(0), default), Is.True, "a person agreed anew");
        Assert.That((await store.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.Known));
        Assert.That((await store.ReadAsync(Notes, default)).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable), "its pins were lost too");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Store_MissingArgument_IsNamed(bool file)
    {
        using var folder = new TemporaryFolder();
        using FilePinStore files = Open(folder);
        IPinStore store = file ? files : new InMemoryPinStore();
        Assert.That(async () => await store.ReadAsync(null!, default), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("server"));
        Assert.That(async () => await store.TryWriteAsync(null!, Catalog(0), default), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("server"));
        Assert.That(async () => await store.TryWriteAsync(Files, null!, default), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("pins"));
        Assert.That(async () => await store.ReadAsync(Files, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await store.TryWriteAsync(Files, Catalog(0), new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That((await store.ReadAsync(Files, default)).Status, Is.EqualTo(PinnedCatalogStatus.FirstSight), "nothing was written");
    }

    [TestCase("sound", null)]
    [TestCase("gone", "it is gone")]
    [TestCase("flipped", "its content is not what was written")]
    [TestCase("incomplete", "an entry in it is incomplete")]
    public async Task FileStore_NotUsable_LogsWhyAndKeepsTheDamagedFile(string state, string? problem)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("pins.json");
        var log = new Lines();
        using var store = new FilePinStore(path, TimeProvider.System, log);
        await store.TryWriteAsync(Files, Catalog(0), default);
        Assert.That(log, Is.Empty);
        switch (state)
        {
            case "gone": File.Delete(path); break;
            case "flipped": File.WriteAllText(path, File.ReadAllText(path).Replace("aaaa", "aaab", StringComparison.Ordinal)); break;
            case "incomplete": new StateFile(path, "mcp-guard-pins-1").Write("""{"complete":true}"""u8); break;
        }

        PinnedCatalog read = await store.ReadAsync(Files, default);
        Assert.That(log, problem is null ? Is.Empty : Has.Count.EqualTo(1).And.All.Contains($"The tool pins in {path} are not used: {problem}."));
        Assert.That(await store.TryWriteAsync(Files, Catalog(read.Version), default), Is.True);
        Assert.That(File.Exists(path + ".damaged"), Is.EqualTo(state is "flipped" or "incomplete"));
    }

    [TestCase(49, true)]
    [TestCase(50, false)]
    public async Task FileStore_LockedByAnother_WaitsASecondInAll(int waits, bool written)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("pins.json");
        StateFileLock held = StateFileLock.TryTake(path)!;
        var time = new CountedWaits(count =>
        {
            if (count == waits)
            {
                held.Dispose();
            }
        });
        using var store = new FilePinStore(path, time, NullLogger.Instance);
        if (written)
        {
            Assert.That(await store.TryWriteAsync(Files, Catalog(0), default), Is.True);
        }
        else
        {
            Assert.That(async () => await store.TryWriteAsync(Files, Catalog(0), default), Throws.InstanceOf<IOException>().With.Message.EqualTo($"The pins in '{path}' are locked by another process."));
        }

        Assert.That(time.Waits, Has.Count.EqualTo(waits).And.All.EqualTo(TimeSpan.FromMilliseconds(20)));
        Assert.That(await store.TryWriteAsync(Notes, Catalog(0), default), Is.True, "the next one is not kept out");
    }

    private static FilePinStore Open(TemporaryFolder folder) => new(folder.File("pins.json"), TimeProvider.System, NullLogger.Instance);

    private static PinnedCatalog Catalog(long version) => new()
    {
        Status = PinnedCatalogStatus.Known,
        Version = version,
        Tools = new Dictionary<string, ToolPin>(StringComparer.Ordinal)
        {
            ["read"] = new() { Tool = "read", Fingerprint = new string('a', 64), Definition = "{}", PinnedAt = DateTimeOffset.UnixEpoch },
        },
    };

    private sealed class InMemoryContract : PinStoreContract
    {
        protected override ValueTask<IPinStore> CreateAsync() => new(new InMemoryPinStore());
    }

    private sealed class FileContract(TemporaryFolder folder) : PinStoreContract
    {
        protected override ValueTask<IPinStore> CreateAsync() => new(new FilePinStore(folder.File("pins.json"), TimeProvider.System, NullLogger.Instance));
    }

    /// <summary>Keeps the messages.</summary>
    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }

    /// <summary>Ends every wait at once, and counts them.</summary>
    private sealed class CountedWaits(Action<int> waited) : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            waited(Waits.Count);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
