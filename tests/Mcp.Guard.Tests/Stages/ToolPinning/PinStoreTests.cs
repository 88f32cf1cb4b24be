using Mcp.Guard.Stages.ToolPinning;
using Mcp.Guard.Testing;
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
}
