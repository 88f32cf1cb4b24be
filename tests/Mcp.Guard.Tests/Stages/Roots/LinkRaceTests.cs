using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>Links and folders that change between the check and the use (CWE-367), with the ids of the corpus where it names the scenario.</summary>
[TestFixture]
[Platform(Include = "Linux")]
internal sealed class LinkRaceTests
{
    private const string Secret = "OUTSIDE-SECRET";
    private static readonly int Rounds = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1" ? 10_000 : 300;
    private string _folder = string.Empty;
    private string _root = string.Empty;
    private string _outside = string.Empty;

    [SetUp]
    public void Build()
    {
        _folder = Directory.CreateTempSubdirectory("mcp-guard-race-").FullName;
        _root = Path.Combine(_folder, "project");
        _outside = Path.Combine(_folder, "outside");
        Directory.CreateDirectory(_root);
        Directory.CreateDirectory(_outside);
        File.WriteAllText(Path.Combine(_outside, "file.txt"), Secret);
    }

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void OpenRead_FolderSwappedForLinkInALoop_NeverReadsOutside()
    {
        // toctou-001
        string inside = Path.Combine(_root, "d");
        string parked = Path.Combine(_root, "parked");
        Directory.CreateDirectory(inside);
        File.WriteAllText(Path.Combine(inside, "file.txt"), "inside");
        RaceAgainst(
            () =>
            {
                Directory.Move(inside, parked);
                File.CreateSymbolicLink(inside, _outside);
                File.Delete(inside);
                Directory.Move(parked, inside);
            },
            "d/file.txt");
    }

    [Test]
    public void OpenRead_FileSwappedForLinkInALoop_NeverReadsOutside()
    {
        string inside = Path.Combine(_root, "file.txt");
        string parked = Path.Combine(_root, "parked.txt");
        File.WriteAllText(inside, "inside");
        RaceAgainst(
            () =>
            {
                File.Move(inside, parked);
                File.CreateSymbolicLink(inside, Path.Combine(_outside, "file.txt"));
                File.Delete(inside);
                File.Move(parked, inside);
            },
            "file.txt");
    }

    [Test]
    public void OpenRead_UpperFolderSwappedInALoop_NeverReadsOutside()
    {
        string top = Path.Combine(_root, "a");
        string parked = Path.Combine(_root, "parked");
        Directory.CreateDirectory(Path.Combine(top, "b"));
        File.WriteAllText(Path.Combine(top, "b", "file.txt"), "inside");
        Directory.CreateDirectory(Path.Combine(_outside, "b"));
        File.WriteAllText(Path.Combine(_outside, "b", "file.txt"), Secret);
        RaceAgainst(
            () =>
            {
                Directory.Move(top, parked);
                File.CreateSymbolicLink(top, _outside);
                File.Delete(top);
                Directory.Move(parked, top);
            },
            "a/b/file.txt");
    }

    [TestCase(39)]
    [TestCase(41)]
    [TestCase(2000)]
    public void Check_LongChainOfLinksToOutside_Denies(int length)
    {
        // toctou-006
        for (int i = 0; i < length; i++)
        {
            File.CreateSymbolicLink(Path.Combine(_root, $"l{i}"), i == length - 1 ? Path.Combine(_outside, "file.txt") : $"l{i + 1}");
        }

        Assert.That(Roots().Check("l0").IsAllowed, Is.False);
    }

    [Test]
    public void Check_LinksThatMultiply_DeniesInBoundedWork()
    {
        // Each link names the next twice: 2^30 steps for a resolver without a bound.
        Directory.CreateDirectory(Path.Combine(_root, "x0"));
        for (int i = 1; i < 31; i++)
        {
            File.CreateSymbolicLink(Path.Combine(_root, $"x{i}"), $"x{i - 1}/../x{i - 1}");
        }

        Assert.That(Roots().Check("x30").Denial, Is.EqualTo(PathDenial.LinkLoop));
    }

    [Test]
    public void Check_RootBecameLinkAfterStart_Denies()
    {
        // toctou-010
        RootSet roots = Roots();
        Assert.That(roots.Check("file.txt").IsAllowed, Is.True);
        Directory.Delete(_root);
        File.CreateSymbolicLink(_root, _outside);
        Assert.That(roots.Check("file.txt").IsAllowed, Is.False);
        Assert.That(roots.Check(Path.Combine(_root, "file.txt")).IsAllowed, Is.False);
    }

    [Test]
    public void Check_AncestorOfRootBecameLinkAfterStart_Denies()
    {
        RootSet roots = Roots();
        Directory.Move(_folder, _folder + "-moved");
        try
        {
            Directory.CreateSymbolicLink(_folder, _folder + "-moved");
            Assert.That(roots.Check("file.txt").IsAllowed, Is.False);
        }
        finally
        {
            Directory.Delete(_folder);
            Directory.Move(_folder + "-moved", _folder);
        }
    }

    [Test]
    public void Check_RootMissingAtStartThenCreatedAsLink_Denies()
    {
        Directory.Delete(_root);
        RootSet roots = Roots();
        Assert.That(roots.Problems, Is.Empty);
        File.CreateSymbolicLink(_root, _outside);
        Assert.That(roots.Check("file.txt").IsAllowed, Is.False);
    }

    private RootSet Roots() => RootSet.Create([new GuardRoot(_root)], PathFlavor.Unix);

    private void RaceAgainst(Action swap, string input)
    {
        RootSet roots = Roots();
        int swaps = 0;
        int reads = 0;
        using var stop = new CancellationTokenSource();
        Task swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                swap();
                Interlocked.Increment(ref swaps);
            }
        });

        for (int round = 0; round < Rounds || Volatile.Read(ref swaps) < Rounds; round++)
        {
            PathVerdict verdict = roots.Check(input);
            if (!verdict.IsAllowed)
            {
                continue;
            }

            Assert.That(verdict.Normalized, Does.StartWith(_root + "/"));
            try
            {
                using var reader = new StreamReader(SafeOpen.OpenRead(verdict.Normalized!));
                Assert.That(reader.ReadToEnd(), Is.EqualTo("inside"));
                reads++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The swap was seen: refused.
            }
        }

        stop.Cancel();
        swapper.Wait();
        Assert.That(reads, Is.GreaterThan(0), "the race has to leave the file in place at times");
    }
}
