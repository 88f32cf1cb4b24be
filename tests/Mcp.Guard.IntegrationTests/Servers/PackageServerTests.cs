using System.IO.Compression;
using Mcp.Guard.Packages;
using Mcp.Guard.Policy;
using Mcp.Guard.Testing;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.IntegrationTests.Servers;

/// <summary>Servers from packages: installed by the registries' own clients, verified, started from the read-only copy, in a box and without one.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class PackageServerTests
{
    private const string Name = "@modelcontextprotocol/server-filesystem";
    private const string Version = "2026.8.31";

    private string _work = string.Empty;
    private string _root = string.Empty;
    private string? _absent;

    private static PackageEndpoint Filesystem => new() { Kind = PackageKind.Npm, Name = Name, Version = Version };

    private string Store => Path.Combine(_work, "state", "packages");

    [OneTimeSetUp]
    public async Task InstallAsync()
    {
        _work = Directory.CreateTempSubdirectory("mcp-guard-packages-").FullName;
        _root = Directory.CreateDirectory(Path.Combine(_work, "root")).FullName;
        await File.WriteAllTextAsync(Path.Combine(_root, "a.txt"), "inside");
        if (!OperatingSystem.IsWindows())
        {
            // A box whose host is root runs as another user.
            File.SetUnixFileMode(_root, (UnixFileMode)0x1FF);
            File.SetUnixFileMode(_work, (UnixFileMode)0x1ED);
        }

        try
        {
            Assert.That(await Installer().InstallAsync(Filesystem, CancellationToken.None), Is.True);
        }
        catch (PackageException absent)
        {
            _absent = absent.Message; // no npm, or no registry
        }
    }

    [OneTimeTearDown]
    public void Remove()
    {
        foreach (string folder in Directory.EnumerateDirectories(_work, "*", SearchOption.AllDirectories).Prepend(_work))
        {
            if (!OperatingSystem.IsWindows() && new DirectoryInfo(folder).LinkTarget is null)
            {
                File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        Directory.Delete(_work, recursive: true);
    }

    [SetUp]
    public void RequireNpm()
    {
        if (_absent is not null && !TestContext.CurrentContext.Test.MethodName!.StartsWith("Dotnet", StringComparison.Ordinal))
        {
            Assert.Ignore($"needs npm and a registry: {_absent}");
        }
    }

    [TestCase("none")]
    [TestCase("bubblewrap")]
    public async Task Connect_InstalledNpmPackage_ReadsItsRootAndIsOnRecord(string mode)
    {
        if (mode == "bubblewrap")
        {
            Isolation.Probe.RequireBubblewrap();
        }

        await using var guarded = new Guarded(_work, server => server.NpmPackage(Name, Version, _root).Isolation(mode, mode == "none" ? [] : [_root]).Root(_root)
            .Allow("all", "*"));
        await using McpClient client = await guarded.Guard.ConnectAsync("s");
        CallToolResult read = await client.CallToolAsync("read_text_file", new Dictionary<string, object?> { ["path"] = Path.Combine(_root, "a.txt") });
        AuditRecord launch = guarded.Audit.Records.Single(record => record.Method == "launch");
        Assert.Multiple(() =>
        {
            Assert.That(((TextContentBlock)read.Content[0]).Text, Does.Contain("inside"));
            Assert.That(launch.Decision, Is.EqualTo("admit"));
            Assert.That(launch.Target, Does.EndWith("node"));
            Assert.That(launch.Reason, Does.Match("^sha256=[0-9a-f]{64}; package sha512=[0-9a-f]{128}$"));
            Assert.That(launch.Fingerprint, Does.Match("^[0-9a-f]{64}$"));
        });
    }

    [Test]
    public async Task Install_Twice_InstallsOnceAndLeavesNothingWritable()
    {
        Assert.That(await Installer().InstallAsync(Filesystem, CancellationToken.None), Is.False);
        string folder = new PackageStore(Store).FolderOf(Filesystem);
        foreach (string path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Prepend(folder))
        {
            const UnixFileMode Write = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
            if (!OperatingSystem.IsWindows() && new FileInfo(path).LinkTarget is null)
            {
                Assert.That(File.GetUnixFileMode(path) & Write, Is.EqualTo(UnixFileMode.None), path);
            }
        }

        Assert.That(Directory.GetDirectories(Store, ".staging*"), Is.Empty);
    }

    [Test]
    public async Task Connect_ChangedCopy_IsRefusedUntilInstalledAgainFromTheLock()
    {
        PackageStore store = new(Store);
        string script = store.Verify(Filesystem).Entry;
        string honest = await File.ReadAllTextAsync(script);
        MakeWritable(script);
        await File.WriteAllTextAsync(script, "process.exit(0)");
        await using var guarded = new Guarded(_work, server => server.NpmPackage(Name, Version, _root).WithoutIsolation().Root(_root));

        var refused = await Assert.ThrowsAsync<McpGuardException>(async () => await guarded.Guard.ConnectAsync("s"));

        Assert.That(refused!.Message, Does.Contain("is not what was installed"));
        Assert.That(guarded.Audit.Records.Single(record => record.Method == "launch").Decision, Is.EqualTo("deny"));
        Assert.That(await Installer().InstallAsync(Filesystem, CancellationToken.None), Is.True);
        Assert.That(await File.ReadAllTextAsync(store.Verify(Filesystem).Entry), Is.EqualTo(honest));
    }

    [Test]
    public async Task Connect_PackageNotInstalled_NamesTheCommand()
    {
        await using var guarded = new Guarded(_work, server => server.NpmPackage(Name, "2026.8.30", _root).WithoutIsolation().Root(_root));
        var refused = await Assert.ThrowsAsync<McpGuardException>(async () => await guarded.Guard.ConnectAsync("s"));
        Assert.That(refused!.Message, Does.Contain("mcp-guard install"));
    }

    [Test]
    public async Task Connect_InABox_SeesItsPackageAndNothingElseOfTheStore()
    {
        Isolation.Probe.RequireBubblewrap();
        string secret = Path.Combine(_work, "state", "pins.json");
        await File.WriteAllTextAsync(secret, "secret");
        await using var guarded = new Guarded(_work, server => server.NpmPackage(Name, Version, "/").Isolation("bubblewrap").With("rateLimit", """{ "permits": 1000, "per": "1s" }""")
            .Root(_root).Allow("all", rule => rule.Tools("*").With("paths", """{ "detect": "declared" }""")));
        await using McpClient client = await guarded.Guard.ConnectAsync("s");
        CallToolResult stolen = await client.CallToolAsync("read_text_file", new Dictionary<string, object?> { ["path"] = secret });
        CallToolResult listed = await client.CallToolAsync("list_directory", new Dictionary<string, object?> { ["path"] = Path.Combine(_work, "state") });
        CallToolResult planted = await client.CallToolAsync("write_file", new Dictionary<string, object?> { ["path"] = new PackageStore(Store).Verify(Filesystem).Entry, ["content"] = "x" });
        Assert.Multiple(() =>
        {
            Assert.That(stolen.IsError, Is.True);
            Assert.That(((TextContentBlock)listed.Content[0]).Text, Does.Not.Contain("pins.json"));
            Assert.That(planted.IsError, Is.True);
        });
    }

    [Test]
    public async Task Dotnet_ToolFromAFolderFeed_InstallsAndConnects()
    {
        string feed = Directory.CreateDirectory(Path.Combine(_work, "feed")).FullName;
        Pack(Path.Combine(feed, "Probe.Server.1.0.0.nupkg"));
        var package = new PackageEndpoint { Kind = PackageKind.Dotnet, Name = "Probe.Server", Version = "1.0.0" };
        var installer = new PackageInstaller(new PackageStore(Store), new PackageInstallerOptions { NugetSource = feed });
        Assert.That(await installer.InstallAsync(package, CancellationToken.None), Is.True);
        Assert.That(await installer.InstallAsync(package, CancellationToken.None), Is.False);
        await using var guarded = new Guarded(_work, server => server.DotnetPackage("Probe.Server", "1.0.0", "serve").WithoutIsolation().Allow("all", "*"));
        await using McpClient client = await guarded.Guard.ConnectAsync("s");
        CallToolResult said = await client.CallToolAsync("echo", new Dictionary<string, object?> { ["text"] = "hello" });
        Assert.That(((TextContentBlock)said.Content[0]).Text, Is.EqualTo("hello"));
    }

    private static void MakeWritable(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>A tool package made of the test server's own files.</summary>
    internal static void Pack(string path)
    {
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Write("Probe.Server.nuspec", """
            <?xml version="1.0" encoding="utf-8"?>
            <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
            <id>Probe.Server</id><version>1.0.0</version><authors>tests</authors><description>A server for tests.</description>
            <packageTypes><packageType name="DotnetTool" /></packageTypes>
            </metadata></package>
            """);
        Write("tools/net10.0/any/DotnetToolSettings.xml", """
            <?xml version="1.0" encoding="utf-8"?>
            <DotNetCliTool Version="1"><Commands><Command Name="probe-server" EntryPoint="Mcp.Guard.JailProbe.dll" Runner="dotnet" /></Commands></DotNetCliTool>
            """);
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            if (Path.GetExtension(file) is ".dll" or ".json")
            {
                archive.CreateEntryFromFile(file, "tools/net10.0/any/" + Path.GetFileName(file));
            }
        }

        void Write(string name, string text)
        {
            using var writer = new StreamWriter(archive.CreateEntry(name).Open());
            writer.Write(text);
        }
    }

    private PackageInstaller Installer() => new(new PackageStore(Store), new PackageInstallerOptions());

    private sealed class Guarded : IAsyncDisposable
    {
        private readonly ServiceProvider _services;

        public Guarded(string work, Action<GuardServerBuilder> server)
        {
            var services = new ServiceCollection();
            services.AddMcpGuard(policy => policy.StateDirectory(Path.Combine(work, "state")).Server("s", server)).UseAudit(Audit).UseConsent(new ScriptedConsentProvider());
            _services = services.BuildServiceProvider();
            Guard = _services.GetRequiredService<IMcpGuard>();
        }

        public AuditCollector Audit { get; } = new();

        public IMcpGuard Guard { get; }

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
