using System.Text;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.State;

namespace Mcp.Guard.Tests.Packages;

/// <summary>The store without a registry: digests, manifests and lock files, honest and hostile. Real installs are in the integration tests.</summary>
[TestFixture]
internal sealed class PackageStoreTests
{
    private static readonly PackageEndpoint Package = new() { Kind = PackageKind.Npm, Name = "@scope/server", Version = "1.2.3" };

    private string _store = string.Empty;

    [SetUp]
    public void Make() => _store = Directory.CreateTempSubdirectory("mcp-guard-store-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_store, recursive: true);

    [Test]
    public void Verify_InstalledCopy_NamesNodeAndTheScript()
    {
        string folder = Fill("""{ "name": "@scope/server", "version": "1.2.3", "bin": { "server": "dist/index.js", "other": "x.js" } }""");
        Lock(PackageTree.Compute(folder));

        StoredPackage found = new PackageStore(_store).Verify(Package);

        Assert.That(found.Runtime, Is.EqualTo("node"));
        Assert.That(found.Entry, Does.EndWith("/node_modules/@scope/server/dist/index.js"));
        Assert.That(found.Folder, Is.EqualTo(folder));
    }

    [Test]
    public void Verify_NotInTheLock_IsRefusedNamingTheCommand()
    {
        Fill("""{ "name": "@scope/server", "version": "1.2.3", "bin": "dist/index.js" }""");
        Assert.That(() => new PackageStore(_store).Verify(Package), Throws.TypeOf<PackageException>().With.Message.Contains("mcp-guard install"));
    }

    [Test]
    public void InstallAsync_WhileAnotherInstallationWorksOnTheStore_TouchesNothingAndSaysSo()
    {
        using StateFileLock other = StateFileLock.TryTake(Path.Combine(_store, "install"))!;
        string leftover = Directory.CreateDirectory(Path.Combine(_store, ".staging-0")).FullName;
        var installer = new PackageInstaller(new PackageStore(_store), new PackageInstallerOptions { Timeout = TimeSpan.Zero });

        Assert.That(async () => await installer.InstallAsync(Package, CancellationToken.None), Throws.TypeOf<PackageException>().With.Message.Contains("another 'mcp-guard install'"));
        Assert.That(Directory.Exists(leftover), "it may be the other's");
    }

    [TestCase("change")]
    [TestCase("add")]
    [TestCase("remove")]
    [TestCase("rename")]
    [TestCase("mode")]
    [TestCase("folder")]
    [TestCase("link")]
    public void Verify_AnyChange_IsRefused(string change)
    {
        string folder = Fill("""{ "name": "@scope/server", "version": "1.2.3", "bin": "dist/index.js" }""");
        Lock(PackageTree.Compute(folder));
        string script = Path.Combine(folder, "node_modules", "@scope", "server", "dist", "index.js");
        switch (change)
        {
            case "change":
                File.WriteAllText(script, "evil()");
                break;
            case "add":
                File.WriteAllText(Path.Combine(folder, "node_modules", "zod.js"), "evil()");
                break;
            case "remove":
                File.Delete(Path.Combine(folder, "extra.txt"));
                break;
            case "rename":
                File.Move(Path.Combine(folder, "extra.txt"), Path.Combine(folder, "extrb.txt"));
                break;
            case "mode" when !OperatingSystem.IsWindows():
                File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
                break;
            case "folder":
                Directory.CreateDirectory(Path.Combine(folder, "empty"));
                break;
            case "link":
                File.Delete(Path.Combine(folder, "extra.txt"));
                File.CreateSymbolicLink(Path.Combine(folder, "extra.txt"), "package.json");
                break;
        }

        Assert.That(() => new PackageStore(_store).Verify(Package), Throws.TypeOf<PackageException>().With.Message.Contains("is not what was installed"));
    }

    [Test]
    public void Verify_DamagedLock_IsRefused()
    {
        string folder = Fill("""{ "name": "@scope/server", "version": "1.2.3", "bin": "dist/index.js" }""");
        Lock(PackageTree.Compute(folder));
        string path = Path.Combine(_store, "mcp-guard.lock.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("1.2.3", "1.2.4", StringComparison.Ordinal));
        Assert.That(() => new PackageStore(_store).Verify(Package), Throws.TypeOf<PackageException>().With.Message.Contains("lock"));
    }

    [TestCase("/etc/passwd")]
    [TestCase("../../../out")]
    [TestCase("../package.json/../../x")]
    [TestCase("node_modules/../../x")]
    public void Compute_LinkThatLeadsOut_IsRefused(string target)
    {
        string folder = Fill("{}");
        File.CreateSymbolicLink(Path.Combine(folder, "node_modules", "link"), target);
        Assert.That(() => PackageTree.Compute(folder), Throws.TypeOf<PackageException>().With.Message.Contains("leads out"));
    }

    [Test]
    [Platform(Include = "Linux")]
    public void Compute_PipeInside_IsRefusedWithoutBlocking()
    {
        string folder = Fill("{}");
        using (var make = System.Diagnostics.Process.Start("mkfifo", Path.Combine(folder, "pipe"))!)
        {
            make.WaitForExit();
        }

        Assert.That(() => PackageTree.Compute(folder), Throws.TypeOf<PackageException>().With.Message.Contains("no ordinary file"));
    }

    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "../../../outside.js" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "/etc/passwd" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "missing.js" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "dist" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "dist/out.js" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": "" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": { "a": "dist/index.js", "b": "dist/index.js" } }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3", "bin": 5 }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.3" }""")]
    [TestCase("""{ "name": "@scope/server", "version": "1.2.4", "bin": "dist/index.js" }""")]
    [TestCase("""{ "name": "other", "version": "1.2.3", "bin": "dist/index.js" }""")]
    [TestCase("""[ "name" ]""")]
    [TestCase("""{ "name": """)]
    public void Locate_ManifestThatLeadsElsewhere_IsRefused(string manifest)
    {
        string folder = Fill(manifest);
        File.WriteAllText(Path.Combine(_store, "outside.js"), "evil()");
        File.CreateSymbolicLink(Path.Combine(folder, "node_modules", "@scope", "server", "dist", "out.js"), Path.Combine(_store, "outside.js"));
        Assert.That(() => PackageStore.Locate(Package, folder, string.Empty), Throws.TypeOf<PackageException>().With.Message.Contains("cannot be started"));
    }

    [Test]
    public void Locate_SeveralCommands_TakesTheOneThePolicyNames()
    {
        string folder = Fill("""{ "name": "@scope/server", "version": "1.2.3", "bin": { "a": "dist/index.js", "b": "none.js" } }""");
        Assert.That(PackageStore.Locate(Package with { Executable = "a" }, folder, string.Empty).Entry, Does.EndWith("dist/index.js"));
        Assert.That(() => PackageStore.Locate(Package with { Executable = "c" }, folder, string.Empty), Throws.TypeOf<PackageException>());
    }

    [TestCase("""<DotNetCliTool Version="1"><Commands><Command Name="x" EntryPoint="x.dll" Runner="dotnet" /></Commands></DotNetCliTool>""", true)]
    [TestCase("""<DotNetCliTool Version="2"><Commands><Command Name="x" EntryPoint="x" Runner="executable" /></Commands></DotNetCliTool>""", true)]
    [TestCase("""<DotNetCliTool><Commands><Command Name="x" EntryPoint="x.dll" Runner="sh" /></Commands></DotNetCliTool>""", false)]
    [TestCase("""<DotNetCliTool><Commands><Command Name="x" EntryPoint="x.dll" Runner="dotnet" /><Command Name="y" EntryPoint="y.dll" Runner="dotnet" /></Commands></DotNetCliTool>""", false)]
    [TestCase("""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><Command Name="&b;" EntryPoint="x" Runner="dotnet" /></a>""", false)]
    [TestCase("<a>", false)]
    [TestCase("", false)]
    public void Read_DotnetToolSettings_AcceptsOneCommandOnly(string xml, bool accepted) =>
        Assert.That(DotnetToolManifest.Read(new MemoryStream(Encoding.UTF8.GetBytes(xml))), accepted ? Is.Not.Null : Is.Null);

    [TestCase("""{"packages":{"":{},"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/a.tgz","integrity":"sha512-x"}}}""", null)]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/a.tgz","integrity":"sha512-x"},"node_modules/a/node_modules/b":{"inBundle":true,"version":"1.0.0"}}}""", null)]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","integrity":"sha512-x"}}}""", null)]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":5,"integrity":"sha512-x"}}}""", "does not come from a registry")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.1","resolved":"https://r.example/a.tgz","integrity":"sha512-x"}}}""", "another version")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"git+ssh://git@evil.example/a.git#1","integrity":"sha512-x"}}}""", "does not come from a registry")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"file:../a.tgz","integrity":"sha512-x"}}}""", "does not come from a registry")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/a.tgz","integrity":"sha1-x"}}}""", "SHA-512")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/a.tgz","integrity":"sha512-x"},"node_modules/b":{"version":"1.0.0"}}}""", "'node_modules/b'")]
    [TestCase("""{"packages":{"node_modules/a":{"link":true,"resolved":"../a"}}}""", "is a link")]
    [TestCase("""{"packages":{"node_modules/b":{"version":"1.0.0","resolved":"https://r.example/b.tgz","integrity":"sha512-x"}}}""", "does not name a")]
    [TestCase("""{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/a":{}}}""", "not acceptable JSON")]
    [TestCase("""{"dependencies":{}}""", "npm 7")]
    [TestCase("[]", "npm 7")]
    [TestCase("{", "not acceptable JSON")]
    public void Check_NpmLockFile_AcceptsOnlyWhatItPinsWhole(string text, string? problem)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        if (problem is null)
        {
            Assert.That(NpmLockFile.Check(utf8, "a", "1.0.0"), Is.EqualTo("sha512-x"));
        }
        else
        {
            Assert.That(() => NpmLockFile.Check(utf8, "a", "1.0.0"), Throws.TypeOf<PackageException>().With.Message.Contains(problem));
        }
    }

    [Test]
    public void KeyOf_NamesThatAFileSystemCouldTakeForOne_AreNotConfusedByTheLock()
    {
        Lock("00");
        Assert.That(PackageLock.Open(_store).Find(Package), Is.Not.Null);
        Assert.That(PackageLock.Open(_store).Find(Package with { Name = "@Scope/server" }), Is.Null);
        Assert.That(PackageLock.Open(_store).Find(Package with { Version = "1.2.30" }), Is.Null);
        Assert.That(PackageLock.Open(_store).Find(Package with { Kind = PackageKind.Dotnet }), Is.Null);
    }

    [TestCase("JSONStream", "jsonstream", "1.0.0", "1.0.0")]
    [TestCase("@Scope/server", "@scope/server", "1.0.0", "1.0.0")]
    [TestCase("server", "server", "1.0.0-RC", "1.0.0-rc")]
    public void KeyOf_NpmNamesThatDifferInCase_AreTwoFoldersOnEveryFileSystem(string one, string other, string oneVersion, string otherVersion)
    {
        string first = PackageLock.KeyOf(Package with { Name = one, Version = oneVersion });
        Assert.That(first, Is.Not.EqualTo(PackageLock.KeyOf(Package with { Name = other, Version = otherVersion })).IgnoreCase);
        Assert.That(PackageLock.KeyOf(Package with { Kind = PackageKind.Dotnet, Name = one, Version = oneVersion }),
            Is.EqualTo(PackageLock.KeyOf(Package with { Kind = PackageKind.Dotnet, Name = other, Version = otherVersion })), "NuGet takes them for one");
    }

    private string Fill(string manifest)
    {
        string folder = new PackageStore(_store).FolderOf(Package);
        string own = Path.Combine(folder, "node_modules", "@scope", "server");
        Directory.CreateDirectory(Path.Combine(own, "dist"));
        File.WriteAllText(Path.Combine(own, "package.json"), manifest);
        File.WriteAllText(Path.Combine(own, "dist", "index.js"), "serve()");
        File.WriteAllText(Path.Combine(folder, "extra.txt"), "x");
        return folder;
    }

    private void Lock(string tree) => PackageLock.Open(_store).Put(Package, new PackageRecord(PackageKind.Npm, Package.Name, Package.Version, "sha512-x", tree, "{}"));
}
