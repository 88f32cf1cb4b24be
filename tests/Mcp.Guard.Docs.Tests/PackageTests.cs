using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Mcp.Guard.Tests;

namespace Mcp.Guard.Docs.Tests;

/// <summary>What is in the packages. .ci/consumer packs them and says by MCP_GUARD_PACKAGES where they lie.</summary>
[TestFixture]
internal sealed partial class PackageTests
{
    private static readonly string? Feed = Environment.GetEnvironmentVariable("MCP_GUARD_PACKAGES");

    private static readonly string[] Ids = ["Mcp.Guard", "Mcp.Guard.Abstractions", "Mcp.Guard.Cli", "Mcp.Guard.Cli.any", "Mcp.Guard.Cli.linux-x64", "Mcp.Guard.Redis", "Mcp.Guard.Testing", "Mcp.Guard.Tokenizers"];

    // The tool's main package only names the others, and that for a platform holds a native program.
    private static readonly string[] WithCode = [.. Ids.Where(static id => id is not ("Mcp.Guard.Cli" or "Mcp.Guard.Cli.linux-x64"))];

    [TestCaseSource(nameof(Ids))]
    public void Package_HasReadmeIconLicenceTagsSourceAndSymbols(string id)
    {
        using ZipArchive package = Open(id, "nupkg");
        XElement metadata = Metadata(package);
        string? Of(string name) => metadata.Element(metadata.Name.Namespace + name)?.Value;
        string[] files = [.. package.Entries.Select(static entry => entry.FullName)];
        Assert.Multiple(() =>
        {
            Assert.That(Of("id"), Is.EqualTo(id));
            Assert.That(Of("readme"), Is.EqualTo("README.md"));
            Assert.That(Of("icon"), Is.EqualTo("icon.png"));
            Assert.That(files, Does.Contain("README.md").And.Contain("icon.png"));
            Assert.That(metadata.Element(metadata.Name.Namespace + "license")?.Attribute("type")?.Value, Is.EqualTo("expression"));
            Assert.That(Of("license"), Is.EqualTo("MIT"));
            Assert.That(Of("tags"), Does.Contain("modelcontextprotocol").And.Contain("security"));
            Assert.That(Of("description"), Has.Length.GreaterThan(40));
            Assert.That(Of("copyright"), Is.Not.Empty);
            Assert.That(metadata.Element(metadata.Name.Namespace + "repository")?.Attribute("commit")?.Value, Has.Length.EqualTo(40), "SourceLink knows the commit");
            Assert.That(Read(package, "icon.png")[..4], Is.EqualTo(new byte[] { 0x89, 0x50, 0x4E, 0x47 }));
            if (!metadata.Descendants(metadata.Name.Namespace + "packageType").Any(static type => type.Attribute("name")?.Value is "DotnetTool" or "DotnetToolRidPackage"))
            {
                Assert.That(files, Does.Contain($"lib/net10.0/{id}.dll").And.Contain($"lib/net10.0/{id}.xml"), "with its documentation");
            }
        });
    }

    [TestCaseSource(nameof(WithCode))]
    public void Symbols_OfAPackage_NameEveryDocumentByAPathOfNoMachine(string id)
    {
        using ZipArchive symbols = Open(id, "snupkg");
        ZipArchiveEntry[] pdbs = [.. symbols.Entries.Where(static entry => entry.Name.EndsWith(".pdb", StringComparison.Ordinal))];
        Assert.That(pdbs, Is.Not.Empty);
        RequireMappedPaths();
        Assert.Multiple(() =>
        {
            foreach (ZipArchiveEntry pdb in pdbs)
            {
                string[] documents = SymbolFile.Documents(Read(symbols, pdb.FullName));
                Assert.That(documents, Is.Not.Empty, pdb.FullName);
                Assert.That(documents, Has.All.Matches<string>(static document => Mapped().IsMatch(document!)), pdb.FullName);
                Assert.That(documents, Has.Some.StartsWith("/_/src/"), pdb.FullName);
            }
        });
    }

    [TestCaseSource(nameof(WithCode))]
    public void Assemblies_OfAPackage_AreReproducibleAndNameTheirSymbolsByAPathOfNoMachine(string id)
    {
        using ZipArchive package = Open(id, "nupkg");
        ZipArchiveEntry[] own = [.. package.Entries.Where(static entry => Own().IsMatch(entry.Name))];
        Assert.That(own, Is.Not.Empty);
        RequireMappedPaths();
        Assert.Multiple(() =>
        {
            foreach (ZipArchiveEntry assembly in own)
            {
                (bool isReproducible, string[] symbols) = SymbolFile.DebugDirectory(Read(package, assembly.FullName));
                Assert.That(isReproducible, Is.True, assembly.FullName);
                Assert.That(symbols, Is.Not.Empty.And.All.Matches<string>(static path => Mapped().IsMatch(path!)), assembly.FullName);
            }
        });
    }

    [Test]
    public void SourceLink_OfAPackageFromACheckoutWithARemote_NamesTheCommit()
    {
        // .ci/consumer packs the contracts once more, in a clone whose remote is this.
        const string Remote = "https://github.com/example/mcp-guard";
        string? feed = Environment.GetEnvironmentVariable("MCP_GUARD_REMOTE_PACKAGES");
        if (feed is null)
        {
            Assert.Ignore("runs in .ci/consumer, which packs in a clone with a remote (MCP_GUARD_REMOTE_PACKAGES)");
        }

        using ZipArchive package = ZipFile.OpenRead(Directory.GetFiles(feed!, "Mcp.Guard.Abstractions.*.nupkg").Single());
        using ZipArchive symbols = ZipFile.OpenRead(Directory.GetFiles(feed!, "Mcp.Guard.Abstractions.*.snupkg").Single());
        XElement repository = Metadata(package).Elements().Single(static element => element.Name.LocalName == "repository");
        string commit = repository.Attribute("commit")!.Value;
        ZipArchiveEntry pdb = symbols.Entries.Single(static entry => entry.Name.EndsWith(".pdb", StringComparison.Ordinal));
        using JsonDocument link = JsonDocument.Parse(SymbolFile.SourceLink(Read(symbols, pdb.FullName)) ?? "{}");
        Assert.Multiple(() =>
        {
            Assert.That(commit, Does.Match("^[0-9a-f]{40}$"));
            Assert.That(repository.Attribute("url")?.Value, Is.EqualTo(Remote + ".git").Or.EqualTo(Remote));
            Assert.That(
                link.RootElement.GetProperty("documents").EnumerateObject().Select(static item => (item.Name, item.Value.GetString())),
                Does.Contain(("/_/*", $"https://raw.githubusercontent.com/example/mcp-guard/{commit}/*")));
        });
    }

    [TestCaseSource(nameof(Ids))]
    public void Package_HoldsNothingOfAMachine(string id)
    {
        using ZipArchive package = Open(id, "nupkg");
        string root = Checkout.Require();
        Assert.Multiple(() =>
        {
            foreach (ZipArchiveEntry entry in package.Entries)
            {
                // A tool carries its symbols, so that the report of a crash has lines; libraries have them in the other package.
                Assert.That(entry.FullName.StartsWith("tools/", StringComparison.Ordinal) ? "" : entry.FullName, Does.Not.EndWith(".pdb"));
                if (entry.Name.EndsWith(".nuspec", StringComparison.Ordinal) || entry.Name.EndsWith(".json", StringComparison.Ordinal) || entry.Name.EndsWith(".xml", StringComparison.Ordinal))
                {
                    Assert.That(Encoding.UTF8.GetString(Read(package, entry.FullName)), Does.Not.Contain(root), entry.FullName);
                }
            }
        });
    }

    [Test]
    public void Tool_ForLinux_IsOneNativeProgramThatNamesNoMachine()
    {
        using ZipArchive package = Open("Mcp.Guard.Cli.linux-x64", "nupkg");
        ZipArchiveEntry[] tool = [.. package.Entries.Where(static entry => entry.FullName.StartsWith("tools/", StringComparison.Ordinal))];
        Assert.That(tool.Select(static entry => entry.Name), Does.Contain("mcp-guard").And.Not.Contain("mcp-guard.dll"));
        byte[] program = Read(package, tool.Single(static entry => entry.Name == "mcp-guard").FullName);
        Assert.That(program[..4], Is.EqualTo("\u007fELF"u8.ToArray()));
        Assert.That(Encoding.Latin1.GetString(program), Does.Not.Contain(Checkout.Require()));
    }

    [Test]
    public void Dependencies_OfThePackages_AreTheStatedOnes()
    {
        Dictionary<string, string[]> expected = new(StringComparer.Ordinal)
        {
            ["Mcp.Guard.Abstractions"] = [],
            ["Mcp.Guard"] =
            [
                "Mcp.Guard.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Hosting.Abstractions",
                "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options", "ModelContextProtocol", "System.Threading.RateLimiting",
            ],
            ["Mcp.Guard.Testing"] = ["Mcp.Guard"],
            ["Mcp.Guard.Tokenizers"] = ["Google.Protobuf", "Mcp.Guard", "Microsoft.ML.Tokenizers", "Microsoft.ML.Tokenizers.Data.Cl100kBase", "Microsoft.ML.Tokenizers.Data.O200kBase"],
            ["Mcp.Guard.Redis"] = ["Mcp.Guard", "Microsoft.Extensions.Diagnostics.HealthChecks", "Polly.Core", "StackExchange.Redis"],
        };
        foreach (var (id, dependencies) in expected)
        {
            using ZipArchive package = Open(id, "nupkg");
            XElement metadata = Metadata(package);
            Assert.That(metadata.Descendants(metadata.Name.Namespace + "dependency").Select(static item => item.Attribute("id")!.Value).Order(StringComparer.Ordinal), Is.EqualTo(dependencies), id);
        }
    }

    private static ZipArchive Open(string id, string extension)
    {
        if (Feed is null)
        {
            Assert.Ignore("runs in .ci/consumer, which packs first (MCP_GUARD_PACKAGES)");
        }

        string[] found = [.. Directory.EnumerateFiles(Feed!, $"{id}.*.{extension}").Where(file => char.IsDigit(Path.GetFileName(file)[id.Length + 1]))];
        Assert.That(found, Has.Length.EqualTo(1), $"{id}: one {extension}");
        return ZipFile.OpenRead(found[0]);
    }

    private static XElement Metadata(ZipArchive package)
    {
        using Stream stream = package.Entries.Single(static entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal) && !entry.FullName.Contains('/')).Open();
        return XDocument.Load(stream).Root!.Elements().Single(static element => element.Name.LocalName == "metadata");
    }

    private static byte[] Read(ZipArchive package, string name)
    {
        using Stream stream = package.GetEntry(name)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static void RequireMappedPaths()
    {
        if (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Ignore("paths are mapped in builds with CI=true");
        }
    }

    /// <summary>A path that the build mapped: the checkout is <c>/_/</c>, other folders of sources (packages) are numbered.</summary>
    [GeneratedRegex(@"^/_[0-9]*/", RegexOptions.CultureInvariant)]
    private static partial Regex Mapped();

    [GeneratedRegex(@"^(?:Mcp\.Guard.*|mcp-guard)\.dll$", RegexOptions.CultureInvariant)]
    private static partial Regex Own();
}
