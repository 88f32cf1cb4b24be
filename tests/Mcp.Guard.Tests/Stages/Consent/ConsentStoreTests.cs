using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class ConsentStoreTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [TestCaseSource(typeof(ConsentStoreContract), nameof(ConsentStoreContract.Cases))]
    public Task InMemoryStore_Contract_Holds(string name) => new InMemoryContract().RunAsync(name);

    [TestCaseSource(typeof(ConsentStoreContract), nameof(ConsentStoreContract.Cases))]
    public async Task FileStore_Contract_Holds(string name)
    {
        using var folder = new TemporaryFolder();
        await new FileContract(folder).RunAsync(name);
    }

    [Test]
    public void InMemoryStore_Full_DropsExpiredFirst()
    {
        var time = new FakeTimeProvider(Now);
        var store = new InMemoryConsentStore(time, capacity: 2);
        store.Add(Grant("a", Now.AddMinutes(1)));
        store.Add(Grant("b", Now.AddDays(1)));
        Assert.Throws<InvalidOperationException>(() => store.Add(Grant("c", Now.AddDays(1))));
        time.Advance(TimeSpan.FromMinutes(1));
        store.Add(Grant("c", Now.AddDays(1)));
        Assert.That(store.All().Select(grant => grant.GrantId), Is.EquivalentTo(new[] { "b", "c" }));
    }

    [Test]
    public async Task FileStore_OpenedAgain_HoldsWhatWasGiven()
    {
        using var folder = new TemporaryFolder();
        var once = Grant("once", Now.AddDays(1), once: true);
        using (FileConsentStore store = Open(folder))
        {
            await store.AddAsync(Grant("lasting", Now.AddDays(1)), default);
            await store.AddAsync(Grant("refusal", DateTimeOffset.MaxValue, refusal: true, tool: "other"), default);
            await store.AddAsync(once, default);
        }

        using (FileConsentStore store = Open(folder))
        {
            Assert.That(store.IsDamaged, Is.False);
            Assert.That((await store.ListAsync("ada", Now, default)).Select(grant => grant.GrantId), Is.EquivalentTo(new[] { "lasting", "refusal", "once" }));
            await store.RevokeAsync("lasting", default);
            Assert.That((await store.TakeAsync(once.Binding, Now, default))!.GrantId, Is.EqualTo("once"));
        }

        using FileConsentStore again = Open(folder);
        Assert.That((await again.ListAsync("ada", Now, default)).Select(grant => grant.GrantId), Is.EqualTo(new[] { "refusal" }), "used and revoked stays so");
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("truncate")]
    [TestCase("flip")]
    [TestCase("delete")]
    public async Task FileStore_DamagedFile_HoldsNoGrants(string damage)
    {
        using var folder = new TemporaryFolder();
        using (FileConsentStore store = Open(folder))
        {
            await store.AddAsync(Grant("lasting", Now.AddDays(1)), default);
        }

        string path = folder.File("consents.json");
        string text = File.ReadAllText(path);
        switch (damage)
        {
            case "truncate": File.WriteAllText(path, text[..^3]); break;
            case "flip": File.WriteAllText(path, text.Replace("\"once\":false", "\"once\":true ", StringComparison.Ordinal)); break;
            case "delete": File.Delete(path); break;
            default: File.WriteAllText(path, damage); break;
        }

        using FileConsentStore again = Open(folder);
        Assert.That(again.IsDamaged, Is.True);
        Assert.That(await again.ListAsync("ada", Now, default), Is.Empty);
        await again.AddAsync(Grant("new", Now.AddDays(1)), default);
        Assert.That(await again.ListAsync("ada", Now, default), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task FileStore_FileThatOthersMayTouch_HoldsNoGrants()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Unix permissions");
            return;
        }

        using var folder = new TemporaryFolder();
        using (FileConsentStore store = Open(folder))
        {
            await store.AddAsync(Grant("lasting", Now.AddDays(1)), default);
        }

        Assert.That(File.GetUnixFileMode(folder.File("consents.json")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        File.SetUnixFileMode(folder.File("consents.json"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        using FileConsentStore again = Open(folder);
        Assert.That(again.IsDamaged, Is.True);
        Assert.That(await again.ListAsync("ada", Now, default), Is.Empty);
    }

    [Test]
    public void FileStore_SecondUser_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using FileConsentStore store = Open(folder);
        Assert.Throws<InvalidOperationException>(() => Open(folder).Dispose());
    }

    private static FileConsentStore Open(TemporaryFolder folder) => new(folder.File("consents.json"), new FakeTimeProvider(Now), NullLogger.Instance);

    private static ConsentGrant Grant(string id, DateTimeOffset until, bool refusal = false, bool once = false, string tool = "delete_file") => new()
    {
        GrantId = id,
        Binding = new ConsentBinding
        {
            Server = "files (npx server)",
            Method = "tools/call",
            Tool = tool,
            Fingerprint = "f",
            ArgumentsDigest = id,
            UserId = "ada",
            SessionId = "s1",
            PolicyRevision = "p1",
        },
        IsRefusal = refusal,
        IsSingleUse = once,
        ExpiresAt = until,
    };

    private sealed class InMemoryContract : ConsentStoreContract
    {
        protected override ValueTask<IConsentStore> CreateAsync() => new(new InMemoryConsentStore(new FakeTimeProvider(Now)));
    }

    private sealed class FileContract(TemporaryFolder folder) : ConsentStoreContract
    {
        protected override ValueTask<IConsentStore> CreateAsync() =>
            new(new FileConsentStore(folder.File("consents.json"), new FakeTimeProvider(Now), NullLogger.Instance, capacity: 50));
    }
}
