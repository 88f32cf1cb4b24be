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

    [TestCase(true)]
    [TestCase(false)]
    public async Task FileStore_OpenedAgain_SaysWhereNothingWasTakenOver(bool damaged)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("consents.json");
        using (FileConsentStore store = Open(folder))
        {
            await store.AddAsync(Grant("lasting", Now.AddDays(1)), default);
        }

        if (damaged)
        {
            File.WriteAllText(path, "{}");
        }

        var log = new WrittenLog();
        using var again = new FileConsentStore(path, new FakeTimeProvider(Now), log);
        Assert.That(again.IsDamaged, Is.EqualTo(damaged));
        Assert.That(log.Lines, Has.Count.EqualTo(damaged ? 1 : 0).And.All.Contains(path));
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

    [Test]
    public void InMemoryStore_Full_SaysWhatToDo()
    {
        Assert.That(() => new InMemoryConsentStore(new FakeTimeProvider(Now), 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        var store = new InMemoryConsentStore(new FakeTimeProvider(Now), capacity: 2);
        store.Add(Grant("a", Now.AddDays(1)));
        store.Add(Grant("b", DateTimeOffset.MaxValue, refusal: true));
        Assert.That(() => store.Add(Grant("c", Now.AddDays(1))), Throws.InvalidOperationException.With.Message.Contains("holds 2 grants and refusals"));
        Assert.That(() => store.Add(Grant("a", Now.AddDays(1))), Throws.InvalidOperationException.With.Message.Contains("stored already"));
        Assert.That(store.Revoke("a"), Is.True);
        Assert.That(store.Revoke("a"), Is.False);
        store.Add(Grant("c", Now.AddDays(1)));
        Assert.That(store.All().Select(grant => grant.GrantId), Is.EquivalentTo(new[] { "b", "c" }));
    }

    // A refusal wins; a lasting grant is used before one that its use would end; both whatever their order.
    [Test]
    public void InMemoryStore_SeveralThatCover_TheStrictestThenTheLastingIsTaken()
    {
        (string Id, bool Refusal, bool Once)[] grants = [("refusal", true, false), ("once", false, true), ("lasting", false, false), ("other-once", false, true)];
        for (int mask = 1; mask < 16; mask++)
        {
            foreach (bool reverse in (bool[])[false, true])
            {
                var store = new InMemoryConsentStore(new FakeTimeProvider(Now));
                (string Id, bool Refusal, bool Once)[] given = [.. grants.Where((_, i) => (mask & (1 << i)) != 0)];
                foreach (var (id, refusal, once) in reverse ? given.Reverse() : given)
                {
                    store.Add(Same(id, refusal, once));
                }

                string expected = given.Any(g => g.Refusal) ? "refusal" : given.Any(g => !g.Once) ? "lasting" : "once";
                ConsentGrant? taken = store.Take(Same("x", false, false).Binding, Now);
                Assert.That(expected == "once" ? taken!.IsSingleUse : taken!.GrantId == expected, Is.True, $"{mask} {reverse}: {taken!.GrantId}");
                Assert.That(store.All(), Has.Count.EqualTo(given.Length - (taken.IsSingleUse ? 1 : 0)));
            }
        }

        static ConsentGrant Same(string id, bool refusal, bool once) => new()
        {
            GrantId = id,
            Binding = Grant("same", Now).Binding,
            IsRefusal = refusal,
            IsSingleUse = once,
            ExpiresAt = Now.AddDays(1),
        };
    }

    [Test]
    public async Task InMemoryStore_List_ShowsTheUsersThatHold()
    {
        var store = new InMemoryConsentStore(new FakeTimeProvider(Now));
        store.Add(Grant("ends", Now.AddMinutes(1)));
        store.Add(Grant("holds", Now.AddMinutes(2)));
        Assert.That((await store.ListAsync("ada", Now, default)).Select(grant => grant.GrantId), Is.EquivalentTo(new[] { "ends", "holds" }));
        Assert.That((await store.ListAsync("ada", Now.AddMinutes(1), default)).Select(grant => grant.GrantId), Is.EqualTo(new[] { "holds" }));
        Assert.That(await store.ListAsync("bob", Now, default), Is.Empty);
        Assert.That(store.Take(Grant("ends", Now).Binding, Now.AddMinutes(1)), Is.Null);
        store.RemoveExpired(Now.AddMinutes(1));
        Assert.That(store.All().Select(grant => grant.GrantId), Is.EqualTo(new[] { "holds" }));
        Assert.That(store.Revoke("ends"), Is.False);
    }

    [Test]
    public void Stores_CallerHasCancelled_ChangeNothing()
    {
        using var folder = new TemporaryFolder();
        using FileConsentStore file = Open(folder);
        var memory = new InMemoryConsentStore(new FakeTimeProvider(Now));
        var cancelled = new CancellationToken(true);
        foreach (IConsentStore store in (IConsentStore[])[memory, file])
        {
            Assert.That(async () => await store.AddAsync(Grant("a", Now.AddDays(1)), cancelled), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(async () => await store.TakeAsync(Grant("a", Now).Binding, Now, cancelled), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(async () => await store.RevokeAsync("a", cancelled), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(async () => await store.ListAsync("ada", Now, cancelled), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(async () => await store.AddAsync(null!, default), Throws.ArgumentNullException);
            Assert.That(async () => await store.RevokeAsync(null!, default), Throws.ArgumentNullException);
            Assert.That(async () => await store.ListAsync(null!, Now, default), Throws.ArgumentNullException);
        }

        Assert.That(memory.All(), Is.Empty);
    }

    // What could not be written was not given; what was taken or revoked is gone all the same.
    [Test]
    public async Task FileStore_DiskFails_GivesNothingAndTakesBackWhatItGave()
    {
        using var folder = new TemporaryFolder();
        using FileConsentStore store = Open(folder);
        var once = Grant("once", Now.AddDays(1), once: true);
        await store.AddAsync(once, default);
        await store.AddAsync(Grant("lasting", Now.AddDays(1)), default);
        string path = folder.File("consents.json");
        File.Delete(path);
        Directory.CreateDirectory(path);
        Assert.That(async () => await store.AddAsync(Grant("new", Now.AddDays(1)), default), Throws.Exception);
        Assert.That((await store.ListAsync("ada", Now, default)).Select(grant => grant.GrantId), Is.EquivalentTo(new[] { "once", "lasting" }));
        Assert.That(async () => await store.TakeAsync(once.Binding, Now, default), Throws.Exception, "not used where that is not on disk");
        Assert.That(async () => await store.RevokeAsync("lasting", default), Throws.Exception);
        Assert.That(await store.ListAsync("ada", Now, default), Is.Empty);
        Directory.Delete(path);
        Assert.That(await store.RevokeAsync("nothing", default), Is.False);
        await store.AddAsync(Grant("new", Now.AddDays(1)), default);
        Assert.That(await store.RevokeAsync("new", default), Is.True, "it goes on once the disk does");
    }

    [Test]
    public async Task FileStore_Change_LeavesOutWhatHasExpired()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider(Now);
        using (var store = new FileConsentStore(folder.File("consents.json"), time, NullLogger.Instance))
        {
            await store.AddAsync(Grant("ends", Now.AddMinutes(1)), default);
            time.Advance(TimeSpan.FromMinutes(1));
            await store.AddAsync(Grant("holds", Now.AddDays(1)), default);
        }

        Assert.That(File.ReadAllText(folder.File("consents.json")), Does.Contain("holds").And.Not.Contain("ends"));
    }

    // All or nothing: half of a file is not what anyone agreed to.
    [Test]
    public async Task FileStore_MoreThanItHolds_IsDamaged()
    {
        using var folder = new TemporaryFolder();
        using (FileConsentStore store = Open(folder))
        {
            foreach (string id in (string[])["a", "b", "c"])
            {
                await store.AddAsync(Grant(id, Now.AddDays(1)), default);
            }
        }

        using (var small = new FileConsentStore(folder.File("consents.json"), new FakeTimeProvider(Now), NullLogger.Instance, capacity: 2))
        {
            Assert.That(small.IsDamaged, Is.True);
            Assert.That(await small.ListAsync("ada", Now, default), Is.Empty);
        }

        using var again = new FileConsentStore(folder.File("consents.json"), new FakeTimeProvider(Now), NullLogger.Instance, capacity: 3);
        Assert.That(again.IsDamaged, Is.False);
        Assert.That(await again.ListAsync("ada", Now, default), Has.Count.EqualTo(3));
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
