using System.Text;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>The normaliser that hosts are given: what it judges and opens, and that a changed list of roots is compiled again.</summary>
[TestFixture]
[Platform(Include = "Linux")]
internal sealed class RootNormalizerTests
{
    private string _root = string.Empty;

    [SetUp]
    public void MakeRoot() => _root = Directory.CreateTempSubdirectory("mcp-guard-normalizer-").FullName;

    [TearDown]
    public void RemoveRoot() => Directory.Delete(_root, recursive: true);

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

    [Test]
    public void Normalize_NoRootsOrUnknownKind_Denies()
    {
        var normalizer = new RootNormalizer();
        GuardRoot[] roots = [new GuardRoot(_root)];
        Assert.That(normalizer.Normalize("a", RootInputKind.Path, null!).IsAllowed, Is.False);
        Assert.That(normalizer.Normalize("a", (RootInputKind)99, roots).IsAllowed, Is.False);
        Assert.That(normalizer.Normalize("a", RootInputKind.Path, []).IsAllowed, Is.False);
        RootDecision outside = normalizer.Normalize("/etc/passwd", RootInputKind.Path, roots);
        Assert.That((outside.IsAllowed, outside.NormalizedPath, outside.Reason), Is.EqualTo((false, null as string, PathDenials.Describe(PathDenial.Outside))));
    }

    [Test]
    public void Normalize_ListThatChangedSince_IsJudgedByWhatItHoldsNow()
    {
        var normalizer = new RootNormalizer();
        List<GuardRoot> roots = [new GuardRoot("/srv/a"), new GuardRoot("/srv/b")];
        Assert.That(Allows("/srv/b/x"), Is.True);
        Assert.That(Allows("/srv/b/x"), Is.True);
        roots[1] = new GuardRoot("/srv/c");
        Assert.That((Allows("/srv/b/x"), Allows("/srv/c/x")), Is.EqualTo((false, true)));
        roots[0] = new GuardRoot("/srv/b");
        Assert.That((Allows("/srv/a/x"), Allows("/srv/b/x")), Is.EqualTo((false, true)));
        roots.RemoveAt(1);
        Assert.That(Allows("/srv/c/x"), Is.False);

        bool Allows(string path) => normalizer.Normalize(path, RootInputKind.Path, roots).IsAllowed;
    }

    [Test]
    public void Normalize_SameList_KeepsWhereItsLinksLedFirst()
    {
        var normalizer = new RootNormalizer();
        Directory.CreateDirectory(Path.Combine(_root, "first"));
        Directory.CreateDirectory(Path.Combine(_root, "second"));
        string link = Path.Combine(_root, "link");
        Directory.CreateSymbolicLink(link, "first");
        GuardRoot[] roots = [new GuardRoot(link)];
        Assert.That(normalizer.Normalize("x", RootInputKind.Path, roots).NormalizedPath, Is.EqualTo(Path.Combine(_root, "first", "x")));
        Directory.Delete(link);
        Directory.CreateSymbolicLink(link, "second");
        Assert.That(normalizer.Normalize("x", RootInputKind.Path, roots).IsAllowed, Is.False, "a root that was led elsewhere since is not followed");
    }

    [Test]
    public void Open_Denial_SaysWhy()
    {
        var normalizer = new RootNormalizer();
        GuardRoot[] roots = [new GuardRoot(_root, RootAccess.Read)];
        RootDecision denied = normalizer.Normalize("../x", RootInputKind.Path, roots);
        Assert.That(() => normalizer.OpenRead(denied), Throws.TypeOf<UnauthorizedAccessException>().With.Message.EqualTo(denied.Reason));
        Assert.That(() => normalizer.OpenWrite(denied), Throws.TypeOf<UnauthorizedAccessException>().With.Message.EqualTo(denied.Reason));
        RootDecision readable = normalizer.Normalize("a", RootInputKind.Path, roots);
        Assert.That(() => normalizer.OpenWrite(readable), Throws.TypeOf<UnauthorizedAccessException>().With.Message.EqualTo(PathDenials.Describe(PathDenial.ReadOnlyRoot)));
        Assert.That(Directory.GetFileSystemEntries(_root), Is.Empty);
    }
}
