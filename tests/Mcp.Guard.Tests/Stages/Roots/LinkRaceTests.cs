using System.Text;
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

    [Test]
    public void OpenWrite_FolderBecameLinkAfterTheCheck_WritesNothingOutside()
    {
        RootSet roots = Roots();
        Directory.CreateDirectory(Path.Combine(_root, "new"));
        string allowed = roots.Check("new/file.txt").Normalized!;
        Directory.Delete(Path.Combine(_root, "new"));
        File.CreateSymbolicLink(Path.Combine(_root, "new"), _outside);
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenWrite(allowed));
        Assert.That(File.ReadAllText(Path.Combine(_outside, "file.txt")), Is.EqualTo(Secret));
    }

    [Test]
    public void OpenWrite_FileBecameDanglingLinkAfterTheCheck_CreatesNothingOutside()
    {
        RootSet roots = Roots();
        string allowed = roots.Check("fresh.txt").Normalized!;
        File.CreateSymbolicLink(Path.Combine(_root, "fresh.txt"), Path.Combine(_outside, "fresh.txt"));
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenWrite(allowed));
        Assert.That(File.Exists(Path.Combine(_outside, "fresh.txt")), Is.False);
    }

    [Test]
    public void Replace_DestinationBecameLink_ReplacesTheLinkItself()
    {
        // toctou-004
        RootSet roots = Roots();
        string allowed = roots.Check("out.txt").Normalized!;
        File.CreateSymbolicLink(allowed, Path.Combine(_outside, "file.txt"));
        SafeOpen.Replace(allowed, "new"u8);
        Assert.That(File.ReadAllText(Path.Combine(_outside, "file.txt")), Is.EqualTo(Secret));
        Assert.That(new FileInfo(allowed).LinkTarget, Is.Null);
        Assert.That(File.ReadAllText(allowed), Is.EqualTo("new"));
        Assert.That(Directory.GetFiles(_root), Has.Length.EqualTo(1), "the temporary file is gone");
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

    [Test]
    public void OpenRead_PipeOrFolderOrDevice_IsRefusedWithoutBlocking()
    {
        string pipe = Path.Combine(_root, "pipe");
        using (var make = System.Diagnostics.Process.Start("mkfifo", pipe)!)
        {
            make.WaitForExit();
        }

        Directory.CreateDirectory(Path.Combine(_root, "dir"));
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenRead(pipe));
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenWrite(pipe));
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenRead(Path.Combine(_root, "dir")));
        Assert.Throws<UnauthorizedAccessException>(() => SafeOpen.OpenRead("/dev/null"));
    }

    [Test]
    public void OpenRead_MissingFile_SaysSo() =>
        Assert.Throws<FileNotFoundException>(() => SafeOpen.OpenRead(Path.Combine(_root, "none.txt")));

    [Test]
    public void Normalizer_AllowedFile_ReadsAndWritesIt()
    {
        var normalizer = new RootNormalizer();
        GuardRoot[] roots = [new GuardRoot(_root)];
        File.WriteAllText(Path.Combine(_root, "real.txt"), "text");
        File.CreateSymbolicLink(Path.Combine(_root, "link.txt"), "real.txt");
        RootDecision decision = normalizer.Normalize("link.txt", RootInputKind.Path, roots);
        using (var reader = new StreamReader(normalizer.OpenRead(decision)))
        {
            Assert.That(reader.ReadToEnd(), Is.EqualTo("text"));
        }

        using (Stream stream = normalizer.OpenWrite(normalizer.Normalize("made.txt", RootInputKind.Path, roots)))
        {
            stream.Write(Encoding.UTF8.GetBytes("made"));
        }

        Assert.That(File.ReadAllText(Path.Combine(_root, "made.txt")), Is.EqualTo("made"));
    }

    [Test]
    public void Normalizer_ReadOnlyRootOrDenial_OpensNothing()
    {
        var normalizer = new RootNormalizer();
        GuardRoot[] roots = [new GuardRoot(_root, RootAccess.Read)];
        RootDecision decision = normalizer.Normalize("a.txt", RootInputKind.Path, roots);
        Assert.That(decision.IsAllowed, Is.True);
        Assert.Throws<UnauthorizedAccessException>(() => normalizer.OpenWrite(decision));
        Assert.Throws<UnauthorizedAccessException>(() => normalizer.OpenRead(default));
        Assert.Throws<UnauthorizedAccessException>(() => normalizer.OpenRead(normalizer.Normalize("../x", RootInputKind.Path, roots)));
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
