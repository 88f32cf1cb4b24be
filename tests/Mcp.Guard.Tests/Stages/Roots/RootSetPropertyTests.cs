using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

[TestFixture]
internal sealed class RootSetPropertyTests
{
    private static readonly RootSet[] Sets =
    [
        RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null),
        RootSet.Create([new GuardRoot(@"C:\work\project")], PathFlavor.Windows, links: null),
        RootSet.Create([new GuardRoot(@"\\host\share")], PathFlavor.Windows, links: null),
    ];

    [Test]
    public void Check_AnyText_GivesAVerdictInsideItsRoots() =>
        Check.One(RandomPaths.Config(), Prop.ForAll(RandomPaths.Paths.ToArbitrary(), input =>
        {
            foreach (RootSet set in Sets)
            {
                foreach (RootInputKind kind in Enum.GetValues<RootInputKind>())
                {
                    PathVerdict verdict = set.Check(kind == RootInputKind.FileUri ? "file:///" + input : input, kind);
                    if (verdict.IsAllowed)
                    {
                        string root = set.Entries[0].Spelled;
                        string normal = verdict.Normalized!;
                        char separator = set.Flavor == PathFlavor.Unix ? '/' : '\\';
                        if (normal != root && !normal.StartsWith(root + separator, StringComparison.OrdinalIgnoreCase))
                        {
                            return false;
                        }

                        if (normal.Split(separator).Any(segment => segment is "." or "..") || normal.Contains('\0', StringComparison.Ordinal))
                        {
                            return false;
                        }
                    }
                }
            }

            return true;
        }));

    [Test]
    public void Check_AllowedPath_IsAllowedAgainAsItself() =>
        Check.One(RandomPaths.Config(), Prop.ForAll(RandomPaths.Paths.ToArbitrary(), input =>
        {
            foreach (RootSet set in Sets)
            {
                PathVerdict first = set.Check(input);
                if (first.IsAllowed)
                {
                    PathVerdict again = set.Check(first.Normalized);
                    if (!again.IsAllowed || again.Normalized != first.Normalized)
                    {
                        return false;
                    }
                }
            }

            return true;
        }));

    [Test]
    public void Check_FurtherRoot_NeverDeniesMore() =>
        Check.One(RandomPaths.Config(), Prop.ForAll(RandomPaths.Paths.ToArbitrary(), Gen.Elements(
            "/srv", "/", "/srv/project/a", "/etc", "/srv/a%2e", "/srv/project/;x", "relative", "").ToArbitrary(), (input, further) =>
        {
            RootSet one = Sets[0];
            RootSet two = RootSet.Create([new GuardRoot("/srv/project"), new GuardRoot(further)], PathFlavor.Unix, links: null);
            foreach (string form in new[] { input, "/srv/project/" + input, "/srv/" + input })
            {
                if (one.Check(form).IsAllowed && !two.Check(form).IsAllowed)
                {
                    return false;
                }
            }

            return true;
        }));

    [Test]
    [Platform(Include = "Linux")]
    public void Check_RandomTreeWithRandomLinks_AllowedMeansInside()
    {
        // The file system is the judge: what a file really is, by its own link-free path, has to lie in the root.
        int trees = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1" ? 60 : 3;
        var random = new Random(20_261_122);
        for (int tree = 0; tree < trees; tree++)
        {
            string folder = Directory.CreateTempSubdirectory("mcp-guard-tree-").FullName;
            try
            {
                BuildTree(folder, random);
                string root = Path.Combine(folder, "a");
                RootSet set = RootSet.Create([new GuardRoot(root)], PathFlavor.Unix);
                foreach (string input in RandomPaths.PlainPaths.Sample(100, 10))
                {
                    foreach (string form in new[] { input, Path.Combine(folder, input) })
                    {
                        PathVerdict verdict = set.Check(form);
                        if (!verdict.IsAllowed)
                        {
                            continue;
                        }

                        string raw = form[0] == '/' ? form : root + "/" + form;
                        string real = RealPath(raw);
                        if (real.Length > 0)
                        {
                            Assert.That(real == root || real.StartsWith(root + "/", StringComparison.Ordinal), Is.True, $"{form} is {real}");
                            Assert.That(verdict.Normalized, Is.EqualTo(real), form);
                        }
                    }
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [Test]
    public void Check_RandomNoise_NeverThrowsAndStaysLinear()
    {
        Random random = RandomPaths.Seeded(4);
        var since = Stopwatch.StartNew();
        for (int i = 0; RandomPaths.GoesOn(i, 5_000, since); i++)
        {
            string text = RandomPaths.Noise(random);
            foreach (RootSet set in Sets)
            {
                foreach (string form in new[] { text, set.Entries[0].Spelled + "/" + text, "file:" + text, "file:///" + text })
                {
                    PathVerdict verdict = set.Check(form, form.StartsWith("file:", StringComparison.Ordinal) ? RootInputKind.FileUri : RootInputKind.Path);
                    Assert.That(verdict.IsAllowed, Is.EqualTo(verdict.Normalized is not null));
                }
            }

            RootSet.Create([new GuardRoot(text)], PathFlavor.Unix, links: null);
            RootSet.Create([new GuardRoot(text)], PathFlavor.Windows, links: null);
        }
    }

    [Test]
    [Platform(Include = "Linux")]
    public void Check_OneLookForLinks_JudgesAsTheWalkLinkByLink()
    {
        // The short way may only ever save work: on random trees, existing and missing paths, it gives what the long way gives.
        int trees = Environment.GetEnvironmentVariable("MCP_GUARD_LONG") == "1" ? 300 : 6;
        var random = new Random(20_261_124);
        int quickLooks = 0;
        for (int tree = 0; tree < trees; tree++)
        {
            string folder = Directory.CreateTempSubdirectory("mcp-guard-tree-").FullName;
            try
            {
                BuildTree(folder, random);
                var reader = new UnixLinkReader();
                GuardRoot[] roots = [new GuardRoot(Path.Combine(folder, "a")), new GuardRoot(Path.Combine(folder, "b", "l1"))];
                RootSet quick = RootSet.Create(roots, PathFlavor.Unix, reader);
                RootSet slow = RootSet.Create(roots, PathFlavor.Unix, new StepByStep(reader));
                foreach (string input in RandomPaths.PlainPaths.Sample(100, 40))
                {
                    foreach (string form in new[] { input, Path.Combine(folder, input), $"{folder}/a/{input}/", $"{folder}/b/c/c/{input}" })
                    {
                        PathVerdict one = quick.Check(form);
                        PathVerdict other = slow.Check(form);
                        Assert.That((one.IsAllowed, one.Normalized, one.Denial), Is.EqualTo((other.IsAllowed, other.Normalized, other.Denial)), form);
                        quickLooks += form[0] == '/' && reader.IsFreeOfLinks(form) ? 1 : 0;
                    }
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Assert.That(quickLooks, Is.GreaterThan(0), "the short way was taken");
    }

    [Test]
    [Platform(Include = "Linux")]
    [Category("Allocation")]
    public void Check_PlainPathOfAnExistingFile_AllocatesNothing()
    {
        string folder = Directory.CreateTempSubdirectory("mcp-guard-alloc-").FullName;
        try
        {
            string file = Path.Combine(folder, "main.cs");
            File.WriteAllText(file, "x");
            RootSet set = RootSet.Create([new GuardRoot(folder)], PathFlavor.Unix);
            var own = new ProtectedPaths([new ProtectedPath("/var/lib/guard-of-this-test", IsDirectory: true, "state")]);
            bool Judge() => set.Check(file).IsAllowed && !own.IsProtected(file) && !own.IsSecondName(file);
            Assert.That(Judge(), Is.True);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                Judge();
            }

            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(100), "a closure at most, nothing for each check");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Never takes the short way.</summary>
    private sealed class StepByStep(LinkReader inner) : LinkReader
    {
        public override LinkStatus Read(string path, out string? target) => inner.Read(path, out target);
    }

    private static void BuildTree(string folder, Random random)
    {
        string[] names = ["a", "b", "c"];
        foreach (string first in names)
        {
            foreach (string second in names)
            {
                Directory.CreateDirectory(Path.Combine(folder, first, second));
                File.WriteAllText(Path.Combine(folder, first, second, "c"), "x");
            }
        }

        string[] targets = ["..", ".", "../..", "a", "../b", "b/../c", "l0", "l1", "l3/..", folder, Path.Combine(folder, "a"), Path.Combine(folder, "b", "c"), "/", "none", "../a/l2"];
        foreach (string place in new[] { "a", "a/b", "a/c", "b", "b/c" })
        {
            for (int i = 0; i < 6; i++)
            {
                File.CreateSymbolicLink(Path.Combine(folder, place, $"l{i}"), targets[random.Next(targets.Length)]);
            }
        }
    }

    /// <summary>The kernel's own answer; empty where nothing lies there.</summary>
    private static string RealPath(string path)
    {
        var start = new ProcessStartInfo("realpath", ["-e", "--", path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd().TrimEnd('\n');
        process.WaitForExit();
        return process.ExitCode == 0 ? output : string.Empty;
    }
}
