namespace Mcp.Guard.Testing;

/// <summary>
/// What every <see cref="IPinStore"/> must do. Derive, make an empty store in <see cref="CreateAsync"/>, and run each of <see cref="Cases"/>
/// with <see cref="RunAsync"/> from a test of your own framework; a broken contract is a <see cref="ContractException"/>.
/// </summary>
public abstract class PinStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly McpServerIdentity Server = new("files", "npx server");

    private static readonly Dictionary<string, Func<IPinStore, Task>> Checks = new(StringComparer.Ordinal)
    {
        ["unknown-server-is-a-first-sight"] = UnknownIsFirstSight,
        ["what-was-written-is-read"] = WrittenIsRead,
        ["servers-share-nothing"] = ServersShareNothing,
        ["an-old-version-is-not-written"] = OldVersionIsNotWritten,
        ["of-parallel-writers-one-is-first"] = OneWriterIsFirst,
        ["what-was-read-does-not-change"] = ReadIsASnapshot,
    };

    /// <summary>The names of the cases.</summary>
    public static IReadOnlyCollection<string> Cases => Checks.Keys;

    /// <summary>Runs one case against a new store.</summary>
    /// <param name="name">One of <see cref="Cases"/>.</param>
    /// <exception cref="ContractException">The contract is broken.</exception>
    public async Task RunAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Checks.TryGetValue(name, out Func<IPinStore, Task>? check))
        {
            throw new ArgumentException($"There is no case '{name}'.", nameof(name));
        }

        IPinStore store = await CreateAsync().ConfigureAwait(false);
        try
        {
            await check(store).ConfigureAwait(false);
        }
        finally
        {
            await ReleaseAsync(store).ConfigureAwait(false);
        }
    }

    /// <summary>Makes an empty store that shares nothing with an earlier one.</summary>
    protected abstract ValueTask<IPinStore> CreateAsync();

    /// <summary>Releases a store after its case.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> made.</param>
    protected virtual ValueTask ReleaseAsync(IPinStore store)
    {
        (store as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static PinnedCatalog Catalog(long version, params string[] tools) => new()
    {
        Status = PinnedCatalogStatus.Known,
        Version = version,
        InstructionsFingerprint = new string('e', 64),
        ToolsSeen = version % 2 == 0,
        Tools = tools.ToDictionary(
            static tool => tool,
            static tool => new ToolPin { Tool = tool, Fingerprint = new string('a', 64), Definition = $"{{\"name\":\"{tool}\"}}", IsApproved = true, PinnedAt = Now },
            StringComparer.Ordinal),
    };

    private static async Task UnknownIsFirstSight(IPinStore store)
    {
        PinnedCatalog read = await Read(store).ConfigureAwait(false);
        ContractException.Require(read is { Status: PinnedCatalogStatus.FirstSight, Version: 0, Tools.Count: 0 }, $"a server that was never seen is {read.Status}, version {read.Version}");
    }

    private static async Task WrittenIsRead(IPinStore store)
    {
        ContractException.Require(await Write(store, Catalog(0, "read", "Read")).ConfigureAwait(false), "a first write was refused");
        PinnedCatalog read = await Read(store).ConfigureAwait(false);
        ContractException.Require(read is { Status: PinnedCatalogStatus.Known, Version: 1 }, $"after the first write a server is {read.Status}, version {read.Version}");
        ContractException.Require(read.InstructionsFingerprint == new string('e', 64), "the fingerprint of the instructions is not what was written");
        ContractException.Require(read.ToolsSeen, "whether the tools were seen is not what was written");
        ContractException.Require(
            read.Tools.Count == 2 && read.Tools.TryGetValue("read", out ToolPin? pin) && pin.Tool == "read" && pin.Fingerprint == new string('a', 64)
                && pin.Definition == "{\"name\":\"read\"}" && pin.IsApproved && pin.PinnedAt == Now,
            "a pin is not what was written");
    }

    private static async Task ServersShareNothing(IPinStore store)
    {
        await Write(store, Catalog(0, "read")).ConfigureAwait(false);
        foreach (McpServerIdentity other in new[] { new McpServerIdentity("files", "npx other"), new McpServerIdentity("Files", "npx server") })
        {
            PinnedCatalog read = await store.ReadAsync(other, CancellationToken.None).ConfigureAwait(false);
            ContractException.Require(read.Status == PinnedCatalogStatus.FirstSight, $"the pins of one server were found for {other}");
        }
    }

    private static async Task OldVersionIsNotWritten(IPinStore store)
    {
        ContractException.Require(await Write(store, Catalog(0, "a")).ConfigureAwait(false), "a first write was refused");
        ContractException.Require(!await Write(store, Catalog(0, "b")).ConfigureAwait(false), "a write over an unseen version was taken");
        ContractException.Require(await Write(store, Catalog(1, "b")).ConfigureAwait(false), "a write of the version that was read was refused");
        PinnedCatalog read = await Read(store).ConfigureAwait(false);
        ContractException.Require(read.Version == 2 && read.Tools.ContainsKey("b") && !read.Tools.ContainsKey("a") && !read.ToolsSeen, "the last accepted write is not what is read");
    }

    private static async Task OneWriterIsFirst(IPinStore store)
    {
        const int Writers = 16;
        var writers = new Task<bool>[Writers];
        for (int i = 0; i < Writers; i++)
        {
            string tool = "t" + i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            writers[i] = Task.Run(async () => await Write(store, Catalog(0, tool)).ConfigureAwait(false));
        }

        bool[] taken = await Task.WhenAll(writers).ConfigureAwait(false);
        int count = taken.Count(static one => one);
        ContractException.Require(count == 1, $"of {Writers} parallel first writes {count} were taken");
    }

    private static async Task ReadIsASnapshot(IPinStore store)
    {
        PinnedCatalog written = Catalog(0, "a");
        await Write(store, written).ConfigureAwait(false);
        ((Dictionary<string, ToolPin>)written.Tools).Clear();
        PinnedCatalog first = await Read(store).ConfigureAwait(false);
        await Write(store, Catalog(1, "b")).ConfigureAwait(false);
        ContractException.Require(first.Tools.ContainsKey("a"), "what was written or read changed afterwards");
    }

    private static ValueTask<PinnedCatalog> Read(IPinStore store) => store.ReadAsync(Server, CancellationToken.None);

    private static ValueTask<bool> Write(IPinStore store, PinnedCatalog catalog) => store.TryWriteAsync(Server, catalog, CancellationToken.None);
}
