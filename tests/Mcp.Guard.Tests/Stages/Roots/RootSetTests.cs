using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

[TestFixture]
internal sealed class RootSetTests
{
    private static readonly RootSet Unix = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null);
    private static readonly RootSet Windows = RootSet.Create([new GuardRoot(@"C:\work\project")], PathFlavor.Windows, links: null);

    [Test]
    public void Verdict_Default_Denies()
    {
        Assert.That(default(PathVerdict).IsAllowed, Is.False);
        Assert.That(default(PathVerdict).Code, Is.EqualTo("path-outside-roots"));
    }

    [TestCase("docs/%2e%2e%2f%2e%2e%2fx")]
    [TestCase("%ef%bc%8e%ef%bc%8e/x", Description = "escaped full-width dots: decoding, then folding")]
    [TestCase("\uFF05\uFF12\uFF45\uFF05\uFF12\uFF45/x", Description = "full-width escape: folding, then decoding")]
    [TestCase("..%3b/x", Description = "escaped parameter: decoding, then dropping")]
    [TestCase("%22../x%22", Description = "escaped quotes: decoding, then trimming")]
    [TestCase("%2525252e%2525252e/x")]
    [TestCase(".\u200C./x", Description = "a joiner that a file system ignores")]
    [TestCase(".\u00AD./x")]
    [TestCase(".. /x")]
    [TestCase("..\u2044x")]
    [TestCase("..\u00A5x", Description = "the yen sign is the backslash of code page 932")]
    [TestCase("%c0%2e%c0%2e/x", Description = "lead byte with an unchecked second one")]
    [TestCase("%2fetc%2fpasswd")]
    [TestCase("%2drf")]
    [TestCase("a/%00")]
    [TestCase("\u02DC/../../x")]
    [TestCase("'~/x'")]
    [TestCase("%u002e%5c..'%u002e  //", Description = "separators behind hide the quote; found by the long property run")]
    [TestCase("x/..%5c..'/.")]
    [TestCase(@"/srv/project/\..", Description = "the backslash belongs to the part below the root")]
    public void Check_ReadingThatLeaves_Denies(string input) =>
        Assert.That(Unix.Check(input).IsAllowed, Is.False);

    [TestCase("docs/100%.txt")]
    [TestCase("100%25.txt")]
    [TestCase("a;b/c")]
    [TestCase("a\\b.txt")]
    [TestCase("\u00BD cup.md")]
    [TestCase("\u33C2 notes.txt", Description = "its NFKC form holds dots: a.m.")]
    [TestCase("Q&A (draft) [1].md")]
    [TestCase("~$doc.docx")]
    [TestCase("~draft.txt")]
    [TestCase("$5.txt")]
    [TestCase("notes:2024/x")]
    [TestCase("a...b")]
    [TestCase("price \u00A5500/x")]
    [TestCase("\u3002\u3002.txt")]
    [TestCase("a/%2e%2e%2e/b", Description = "three dots are a name, or climb one folder")]
    [TestCase("a/%2e%2e%2e%2e/b")]
    [TestCase("%5csrv%5cproject%5ca")]
    public void Check_NameThatOnlyLooksOdd_Allows(string input)
    {
        PathVerdict verdict = Unix.Check(input);
        Assert.That(verdict.IsAllowed, Is.True, verdict.Message);
        Assert.That(verdict.Normalized, Is.EqualTo("/srv/project/" + input));
    }

    [TestCase("%4eUL")]
    [TestCase("\uFF2E\uFF35\uFF2C", Description = "full-width NUL")]
    [TestCase("COM0")]
    [TestCase("con .txt")]
    [TestCase("a/CLOCK$")]
    [TestCase(@"\??\C:\work\project\a")]
    [TestCase(@"C:work")]
    [TestCase(@"a\b:c")]
    [TestCase("C%3a%5cWindows")]
    [TestCase(@"\\?\C:\work\project\a")]
    [TestCase("a~1.txt")]
    [TestCase("a\\..\\..\\x")]
    public void Check_WindowsTrick_Denies(string input) => Assert.That(Windows.Check(input).IsAllowed, Is.False);

    [TestCase("%7Efile")]
    [TestCase("docs\\Program Files (x86)\\a.txt")]
    [TestCase("backup~.txt")]
    [TestCase("console.log")]
    [TestCase("com10.txt")]
    public void Check_WindowsName_Allows(string input)
    {
        bool home = input.StartsWith("%7E", StringComparison.Ordinal);
        Assert.That(Windows.Check(home ? "docs\\" + input : input).IsAllowed, Is.True);
    }

    [Test]
    public void Check_PlainNormalPath_ReturnsTheSameString()
    {
        string path = "/srv/project/src/main.cs";
        Assert.That(Unix.Check(path).Normalized, Is.SameAs(path));
    }

    [Test]
    public void Check_NestedRoots_InnermostDecides()
    {
        RootSet roots = RootSet.Create(
            [new GuardRoot("/srv", RootAccess.ReadWrite), new GuardRoot("/srv/vendor", RootAccess.Read)], PathFlavor.Unix, links: null);
        Assert.That(roots.Check("/srv/vendor/a").ForWriting().Denial, Is.EqualTo(PathDenial.ReadOnlyRoot));
        Assert.That(roots.Check("/srv/vendor/a").IsAllowed, Is.True);
        Assert.That(roots.Check("/srv/a").ForWriting().IsAllowed, Is.True);
    }

    [TestCase("", "empty")]
    [TestCase("  ", "empty")]
    [TestCase("work", "relative")]
    [TestCase("~/work", "relative")]
    [TestCase("/srv/a\0b", "NUL")]
    [TestCase("/srv/.../a", "dots")]
    public void Create_InvalidRoot_IsReportedAndDropped(string root, string word)
    {
        RootSet roots = RootSet.Create([new GuardRoot("/srv/ok"), new GuardRoot(root)], PathFlavor.Unix, links: null);
        Assert.That(roots.Entries.Length, Is.EqualTo(1));
        Assert.That(roots.Problems.Single().Index, Is.EqualTo(1));
        Assert.That(roots.Problems.Single().Message, Does.Contain(word));
    }

    [TestCase(@"C:")]
    [TestCase(@"\work")]
    [TestCase(@"\\?\C:\work")]
    [TestCase(@"\\server")]
    [TestCase(@"C:\work\NUL")]
    [TestCase(@"C:\work\*")]
    public void Create_InvalidWindowsRoot_IsReported(string root) =>
        Assert.That(RootSet.Create([new GuardRoot(root)], PathFlavor.Windows, links: null).Problems, Has.Count.EqualTo(1));

    [Test]
    public void Check_Links_SayWhatIsWrong() => Assert.Multiple(() =>
    {
        RootSet roots = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, Links);
        Assert.That(roots.Check("in/x").Normalized, Is.EqualTo("/srv/project/real/x"));
        Assert.That(roots.Check("out/x").Denial, Is.EqualTo(PathDenial.OutsideByLink));
        Assert.That(roots.Check("/etc/x").Denial, Is.EqualTo(PathDenial.Outside));
        Assert.That(roots.Check("loop").Denial, Is.EqualTo(PathDenial.LinkLoop));
        Assert.That(roots.Check("loop/../x").Denial, Is.EqualTo(PathDenial.LinkLoop));
        Assert.That(roots.Check("out/../x").Denial, Is.EqualTo(PathDenial.AmbiguousDotDot));
        Assert.That(roots.Check("out%2f..%2fx").Denial, Is.EqualTo(PathDenial.SecondReading), "a reading climbs from where the link leads");
        Assert.That(roots.FindOverlap("/srv/project/loop"), Is.SameAs(roots.Entries[0]));
        Assert.That(roots.FindOverlap("/var"), Is.Null);
    });

    [TestCase("/srv/project/loop", "the root cannot be resolved: ", PathDenial.LinkLoop)]
    [TestCase("/srv/project/out/../x", "the root cannot be used: ", PathDenial.AmbiguousDotDot)]
    [TestCase("/srv/.../a", "the root cannot be used: ", PathDenial.DotsOnlySegment)]
    public void Create_RootThatLinksMakeUnclear_IsReported(string root, string start, object denial)
    {
        RootSet roots = RootSet.Create([new GuardRoot(root)], PathFlavor.Unix, Links);
        Assert.That(roots.Problems.Single().Message, Is.EqualTo(start + PathDenials.Describe((PathDenial)denial)));
        Assert.That(roots.Entries.Length, Is.Zero);
    }

    [TestCase("/srv/project/in/..", "/srv/project")]
    [TestCase("/srv/project/../a..b", "/srv/a..b")]
    public void Create_RootWithDotDot_IsUsedWhereBothReadingsAgree(string root, string resolved) =>
        Assert.That(RootSet.Create([new GuardRoot(root)], PathFlavor.Unix, Links).Entries[0].Resolved, Is.EqualTo(resolved));

    [Test]
    public void Check_LongPath_IsJudgedUpToWhatTheSystemTakes()
    {
        for (int length = 500; length < 530; length++)
        {
            Assert.That(Unix.Check("/srv/project/".PadRight(length, 'a')).IsAllowed, Is.True, $"length {length}");
        }

        Assert.That(Unix.Check(new string('a', 4_090)).Denial, Is.EqualTo(PathDenial.TooLong), "with the folder it starts in");
        Assert.That(Unix.Check("file:///" + new string('%', 9 * 32_767), RootInputKind.FileUri).Denial, Is.EqualTo(PathDenial.TooLong));
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void Create_PathsOfAnotherSystem_AreJudgedByTheirText()
    {
        string longer = @"C:\work\" + string.Join('\\', Enumerable.Repeat(new string('a', 200), 30));
        Assert.That(RootSet.Create([new GuardRoot(@"C:\work")], PathFlavor.Windows).Check(longer).IsAllowed, Is.True);
    }

    [TestCase(@"D:\x\a%5c..%5c..%5cy", Description = "another drive")]
    [TestCase(@"\\h\s\x\a%5c..%5c..%5cy", Description = "a share")]
    public void Check_ReadingThatLeaves_IsNotExcusedByARootElsewhere(string other)
    {
        RootSet roots = RootSet.Create([new GuardRoot(@"C:\x"), new GuardRoot(other)], PathFlavor.Windows, links: null);
        Assert.That(roots.Problems, Is.Empty);
        Assert.That(roots.Check(@"C:\x\a%5c..%5c..%5cy\f").IsAllowed, Is.False);
        Assert.That(roots.Check(other + @"\f").IsAllowed, Is.True, "the root that spells it out");
    }

    [TestCase("/srv/%2e%2e%2f%2e%2e%2fetc/f")]
    [TestCase("/srv/x%2f..%2f..%2f..%2f")]
    public void Check_ReadingThatLeaves_IsNotExcusedByARootThatItDoesNotSpell(string input)
    {
        // A root of the same depth, and one whose link leads elsewhere.
        RootSet roots = RootSet.Create([new GuardRoot("/srv"), new GuardRoot("/opt/b"), new GuardRoot("/srv/project/in")], PathFlavor.Unix, Links);
        Assert.That((roots.Problems.Count, roots.Check("/opt/b/x").IsAllowed), Is.EqualTo((0, true)));
        Assert.That(roots.Check(input).Denial, Is.EqualTo(PathDenial.SecondReading));
    }

    [TestCase("/a%2f..%2f..%2fy", "/a%2f..%2f..%2fy/f")]
    [TestCase("/srv/a%2f..%2f..%2f..%2fy", "/srv/./a%2f..%2f..%2f..%2fy/f", Description = "a dot does not count")]
    [TestCase("/srv/a%2f..%2f..%2f..%2fy", "/srv/a%2f..%2f..%2f..%2fy/-x%20y", Description = "what is below is no start")]
    [TestCase("/srv/project/odd", "/srv/a%2f..%2f..%2f..%2fy/f", Description = "the root is a link")]
    public void Check_RootWithAPercentSign_StaysUsable(string root, string input)
    {
        RootSet roots = RootSet.Create([new GuardRoot(root)], PathFlavor.Unix, Links);
        Assert.That(roots.Problems, Is.Empty);
        PathVerdict verdict = roots.Check(input);
        Assert.That(verdict.IsAllowed, Is.True, verdict.Message);
        Assert.That(roots.Check(input + "%2f..%2f..%2f..").IsAllowed, Is.False);
    }

    [TestCase(@"c:\A%5C..%5C..%5CY\f", true)]
    [TestCase(@"C:\a%5c..%5c..%5cy\%5cnul", false, Description = "a device in the part below")]
    [TestCase(@"C:\a%5c..%5c..%5cy\x%5cnul", false)]
    public void Check_WindowsRootWithAPercentSign_StaysUsableInAnyCase(string input, bool allowed) =>
        Assert.That(RootSet.Create([new GuardRoot(@"C:\a%5c..%5c..%5cy")], PathFlavor.Windows, links: null).Check(input).IsAllowed, Is.EqualTo(allowed));

    [TestCase(@"C:\PROGRA~1\A~1\f", true)]
    [TestCase(@"C:\\PROGRA~1\A~1\f", true, Description = "an empty segment is none")]
    [TestCase(@"C:\PROGRA~1\A~1\B~1", false)]
    [TestCase(@"C:\work\PROGRA~1\f", false)]
    [TestCase(@"C:\data\x", true)]
    [TestCase(@"C:\data\SECRET~1\x", false, Description = "another drive's root does not excuse it")]
    public void Check_ShortName_IsExcusedOnlyWhereItsRootSpellsIt(string input, bool allowed)
    {
        RootSet roots = RootSet.Create(
            [new GuardRoot(@"C:\PROGRA~1\A~1"), new GuardRoot(@"C:\data"), new GuardRoot(@"C:\work"), new GuardRoot(@"D:\data\SECRET~1")], PathFlavor.Windows, links: null);
        Assert.That(roots.Problems, Is.Empty);
        PathVerdict verdict = roots.Check(input);
        Assert.That(verdict.IsAllowed ? null : verdict.Denial.ToString(), Is.EqualTo(allowed ? null : nameof(PathDenial.ShortName)));
    }

    [TestCase(@"\\?\C:\work\project\a", "DevicePath")]
    [TestCase(@"\\host", "NetworkShare")]
    [TestCase(@"\\host\share\a", "NetworkShare")]
    [TestCase(@"\\a\bc\x", "NetworkShare", Description = "as long as the root's, its separator elsewhere")]
    [TestCase(@"\\ab\d\x", "NetworkShare")]
    [TestCase(@"\\ab\c\..\x", null)]
    [TestCase(@"//AB/c\x", null)]
    [TestCase("C:work", "NoDrive")]
    [TestCase(@"D:\x", "Outside")]
    public void Check_WindowsStart_SaysWhatIsWrong(string input, string? reason)
    {
        RootSet roots = RootSet.Create([new GuardRoot(@"C:\work\project"), new GuardRoot(@"\\ab\c")], PathFlavor.Windows, links: null);
        PathVerdict verdict = roots.Check(input);
        Assert.That(verdict.IsAllowed ? null : verdict.Denial.ToString(), Is.EqualTo(reason));
    }

    [TestCase("a/.../b", RootInputKind.Path, "DotsOnlySegment")]
    [TestCase("/srv/project/.../b", RootInputKind.Path, "DotsOnlySegment")]
    [TestCase("file:///a?b", RootInputKind.FileUri, "UriQueryOrFragment")]
    public void Check_TextThatIsRefused_SaysWhatIsWrong(string input, RootInputKind kind, string reason) =>
        Assert.That(Unix.Check(input, kind).Denial.ToString(), Is.EqualTo(reason));

    [Test]
    public void Check_ReadingThatNoSystemOpens_Denies() =>
        Assert.That(Unix.Check(new string('\u33C2', 1_300)).IsAllowed, Is.False, "folded, each sign has four characters");

    [Test]
    public void Check_LinksUnderWindows_AreResolvedAfterDotDot() => Assert.Multiple(() =>
    {
        RootSet roots = RootSet.Create([new GuardRoot(@"C:/w/out/../.")], PathFlavor.Windows, new Fixed(new() { [@"C:\w\out"] = @"D:\other\deep" }));
        Assert.That(roots.Problems, Is.Empty);
        Assert.That(roots.Check(@"out\..\x").Normalized, Is.EqualTo(@"C:\w\x"));
        Assert.That(roots.Check(@"out\x").Denial, Is.EqualTo(PathDenial.OutsideByLink));
        Assert.That(roots.Check("out%5cx").Denial, Is.EqualTo(PathDenial.SecondReading));
        Assert.That(roots.Check("out%5c..%5cx").IsAllowed, Is.True);
    });

    [Test]
    public void Check_ReadingThatOnlyItsTextTakesOut_Denies()
    {
        // Read by its text it ends behind the link that leads out; a kernel would climb from where the first link leads.
        RootSet roots = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, new Fixed(new()
        {
            ["/srv/project/deep"] = "real/sub",
            ["/srv/project/out"] = "/other",
        }));
        Assert.That(roots.Check("real/out/x").IsAllowed, Is.True);
        Assert.That(roots.Check("deep%2f..%2fout%2fx").Denial, Is.EqualTo(PathDenial.SecondReading));
    }

    [Test]
    public void Check_SameRootTwice_TheFirstDecides()
    {
        RootSet roots = RootSet.Create([new GuardRoot("/srv", RootAccess.Read), new GuardRoot("/srv/", RootAccess.ReadWrite)], PathFlavor.Unix, links: null);
        Assert.That(roots.Check("/srv/a").ForWriting().Denial, Is.EqualTo(PathDenial.ReadOnlyRoot));
    }

    [Test]
    public void Relative_UnderWindows_CannotBePlaced() => Assert.Multiple(() =>
    {
        Assert.That(Windows.Check("a", RootInputKind.Path, "project").Denial, Is.EqualTo(PathDenial.InvalidBase));
        Assert.That(Windows.FindOverlap("guard"), Is.SameAs(Windows.Entries[0]));
        Assert.That(Windows.FindOverlap(@"C:\guard"), Is.Null);
    });

    [TestCase("C:", PathFlavor.Windows, "the root must start with a drive and a backslash, or with a host and a share")]
    [TestCase(@"C:\work\NUL", PathFlavor.Windows, "the root cannot be used: ")]
    [TestCase(@"\\ho*st\share", PathFlavor.Windows, "the root cannot be used: ")]
    [TestCase("/srv/a\0b", PathFlavor.Unix, "the root cannot be used: ")]
    public void Create_RootThatCannotBeUsed_SaysWhy(string root, PathFlavor flavor, string start) =>
        Assert.That(RootSet.Create([new GuardRoot(root)], flavor, links: null).Problems.Single().Message, Does.StartWith(start));

    [Test]
    public void FindOverlap_NoRoot_IsNone() => Assert.That(RootSet.Create([], PathFlavor.Unix, links: null).FindOverlap("relative"), Is.Null);

    [Test]
    public void Verdict_Allowed_HasNoCodeAndNoMessage()
    {
        PathVerdict verdict = Unix.Check("a");
        Assert.That((verdict.IsAllowed, verdict.Code, verdict.Message), Is.EqualTo((true, null as string, string.Empty)));
    }

    [Test]
    public void Check_RelativeBase_Denies() => Assert.That(Unix.Check("a", RootInputKind.Path, "project").Denial, Is.EqualTo(PathDenial.InvalidBase));

    [TestCase("/srv/project/a b#c?.txt", "file:///srv/project/a%20b%23c%3F.txt", PathFlavor.Unix)]
    [TestCase("C:\\data\\caf\u00e9", "file:///C:/data/caf%C3%A9", PathFlavor.Windows)]
    [TestCase(@"\\host\share\a", "file://host/share/a", PathFlavor.Windows)]
    public void Write_NormalizedPath_GivesItsUri(string path, string uri, PathFlavor flavor) =>
        Assert.That(FileUriPath.Write(path, flavor), Is.EqualTo(uri));

    [TestCase("/srv/project", true)]
    [TestCase("/srv/project/.guard", true)]
    [TestCase("/srv", true)]
    [TestCase("/srv/project/../guard", false)]
    [TestCase("/srv/projects", false)]
    [TestCase("guard", true, Description = "what cannot be placed counts as overlapping")]
    public void FindOverlap_FolderOfTheGuard_IsFoundInsideAndAround(string folder, bool overlaps) =>
        Assert.That(Unix.FindOverlap(folder) is not null, Is.EqualTo(overlaps));

    [Test]
    public void Check_ManyLayersOfEscapes_DeniesInBoundedWork()
    {
        string input = "%" + string.Concat(Enumerable.Repeat("25", 600)) + "2e";
        Assert.That(Unix.Check("a/" + input).Denial, Is.EqualTo(PathDenial.TooManyReadings));
    }

    /// <summary>Links below the root: one inside, one that leads out, one that leads to itself.</summary>
    private static readonly LinkReader Links = new Few();

    private sealed class Few : LinkReader
    {
        public override LinkStatus Read(string path, out string? target)
        {
            target = path switch
            {
                "/srv/project/in" => "real",
                "/srv/project/out" => "/other/deep",
                "/srv/project/loop" => "loop",
                "/srv/project/odd" => "/srv/a%2f..%2f..%2f..%2fy",
                _ => null,
            };
            return target is null ? LinkStatus.NotALink : LinkStatus.Link;
        }
    }

    private sealed class Fixed(Dictionary<string, string> links) : LinkReader
    {
        public override LinkStatus Read(string path, out string? target) => links.TryGetValue(path, out target) ? LinkStatus.Link : LinkStatus.NotALink;
    }
}
