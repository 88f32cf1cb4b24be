using System.Text;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

/// <summary>The parts of the judgement of paths by themselves: characters, starts, normal forms, links, URIs, names of Windows, and other readings.</summary>
[TestFixture]
internal sealed class PathPartsTests
{
    [TestCase("a/b.txt", PathFlavor.Unix, true, null)]
    [TestCase("a b", PathFlavor.Unix, false, null)]
    [TestCase("a\\b", PathFlavor.Unix, false, null)]
    [TestCase("a\\b", PathFlavor.Windows, true, null)]
    [TestCase("a%20", PathFlavor.Unix, false, null)]
    [TestCase("", PathFlavor.Unix, true, "Empty")]
    [TestCase(" \u3000", PathFlavor.Unix, false, "Empty")]
    [TestCase("a\0", PathFlavor.Unix, false, "Nul")]
    [TestCase("a\n", PathFlavor.Unix, false, "ControlCharacter")]
    [TestCase("a\u007f", PathFlavor.Unix, false, "ControlCharacter")]
    [TestCase("a\u0085", PathFlavor.Windows, false, "ControlCharacter")]
    [TestCase("a\u202e", PathFlavor.Unix, false, "HiddenCharacter")]
    [TestCase("a\u200b", PathFlavor.Unix, false, "HiddenCharacter")]
    [TestCase("ä~é", PathFlavor.Unix, false, null)]
    public void TryAcceptText_Characters_AreJudged(string text, PathFlavor flavor, bool plain, string? reason)
    {
        Assert.That(PathRules.TryAcceptText(text, flavor, out bool isPlain, out PathDenial denial), Is.EqualTo(reason is null));
        Assert.That(isPlain, Is.EqualTo(plain));
        Assert.That(reason is null ? null : denial.ToString(), Is.EqualTo(reason));
    }

    // Not as a case: an attribute cannot hold half of a pair.
    [Test]
    public void TryAcceptText_HalfOfAPair_IsRefused()
    {
        Assert.That(PathRules.TryAcceptText("a\ud800b", PathFlavor.Unix, out _, out PathDenial denial), Is.False);
        Assert.That(denial, Is.EqualTo(PathDenial.LoneSurrogate));
        Assert.That(PathRules.TryAcceptText("a\U0001F600b", PathFlavor.Unix, out _, out _), Is.True);
    }

    [Test]
    public void FitsSystem_Length_IsThatOfTheSystem() => Assert.Multiple(() =>
    {
        Assert.That(PathRules.FitsSystem(new string('a', 4_096), PathFlavor.Unix), Is.True);
        Assert.That(PathRules.FitsSystem(new string('a', 4_097), PathFlavor.Unix), Is.False);
        Assert.That(PathRules.FitsSystem(new string('\u4F8B', 1_365), PathFlavor.Unix), Is.True);
        Assert.That(PathRules.FitsSystem(new string('\u4F8B', 1_366), PathFlavor.Unix), Is.False, "bytes count, not characters");
        Assert.That(PathRules.FitsSystem(new string('\u4F8B', 32_767), PathFlavor.Windows), Is.True);
        Assert.That(PathRules.FitsSystem(new string('a', 32_768), PathFlavor.Windows), Is.False);
    });

    [TestCase("", null)]
    [TestCase("/x", null)]
    [TestCase("-x", "OptionLike")]
    [TestCase("a-x", null)]
    [TestCase("~", "HomeExpansion")]
    [TestCase("~/x", "HomeExpansion")]
    [TestCase("~+", "HomeExpansion")]
    [TestCase("~-", "HomeExpansion")]
    [TestCase("~+1/x", "HomeExpansion")]
    [TestCase("~ada", "HomeExpansion")]
    [TestCase("~ada/x", "HomeExpansion")]
    [TestCase("~a.b/x", "HomeExpansion")]
    [TestCase("~a.b", null)]
    [TestCase("~a.b/", null)]
    [TestCase("~a.b/\\", "HomeExpansion")]
    [TestCase("~ada\\x", null, Description = "a backslash is part of the name")]
    [TestCase("$HOME\\x", null)]
    [TestCase("~a_b-c", "HomeExpansion")]
    [TestCase("~\u00e9", "HomeExpansion")]
    [TestCase("~\U00010400", "HomeExpansion")]
    [TestCase("~a b", null)]
    [TestCase("~$x", null)]
    [TestCase("$HOME", "VariableExpansion")]
    [TestCase("$HOME/x", "VariableExpansion")]
    [TestCase("$_a1", "VariableExpansion")]
    [TestCase("$1", null)]
    [TestCase("$", null)]
    [TestCase("$a-b", null)]
    [TestCase("${x", "VariableExpansion")]
    [TestCase("$(x", "VariableExpansion")]
    [TestCase("$ENV:x", "VariableExpansion")]
    [TestCase("`x`", "VariableExpansion")]
    [TestCase("%TEMP%", "VariableExpansion")]
    [TestCase("%ProgramFiles(x86)%/x", "VariableExpansion")]
    [TestCase("%a.b-c d%", "VariableExpansion")]
    [TestCase("%%", null)]
    [TestCase("%TEMP", null)]
    [TestCase("%1%", null)]
    [TestCase("%a+b%", null)]
    [TestCase("C:", "DriveOnUnix")]
    [TestCase("c:/x", "DriveOnUnix")]
    [TestCase("1:/x", null)]
    [TestCase("ab:x", null)]
    [TestCase("ab:/x", "Scheme")]
    [TestCase("jar:file:/x", "Scheme")]
    [TestCase("a+b-c.1:/x", "Scheme")]
    [TestCase("ab:cd", null)]
    [TestCase("ab:1:/x", null)]
    [TestCase("ab:cd:/x", "Scheme")]
    [TestCase("ab", null)]
    [TestCase("1ab:/x", null)]
    public void TryAcceptStart_OnUnix_RefusesWhatServersExpand(string text, string? reason)
    {
        Assert.That(PathRules.TryAcceptStart(text, PathFlavor.Unix, out PathDenial denial), Is.EqualTo(reason is null));
        Assert.That(reason is null ? null : denial.ToString(), Is.EqualTo(reason));
    }

    [TestCase("C:\\x", null)]
    [TestCase("C:/x", null)]
    [TestCase("C:x", null)]
    [TestCase("ab:\\x", "Scheme")]
    [TestCase("C:ab:/x", "Scheme")]
    [TestCase("\\x", null)]
    [TestCase("~\\x", "HomeExpansion")]
    [TestCase("~ada\\x", "HomeExpansion")]
    [TestCase("~a.b\\x", "HomeExpansion")]
    [TestCase("~a.b\\", null)]
    [TestCase("~a.b/\\", null)]
    [TestCase("%TEMP%\\x", "VariableExpansion")]
    [TestCase("$HOME\\x", "VariableExpansion")]
    public void TryAcceptStart_OnWindows_RefusesWhatServersExpand(string text, string? reason)
    {
        Assert.That(PathRules.TryAcceptStart(text, PathFlavor.Windows, out PathDenial denial), Is.EqualTo(reason is null));
        Assert.That(reason is null ? null : denial.ToString(), Is.EqualTo(reason));
    }

    [TestCase("/", "/")]
    [TestCase("//a///b/", "/a/b")]
    [TestCase("/a/./b/.", "/a/b")]
    [TestCase("/a/../b", "/b")]
    [TestCase("/../..", "/")]
    [TestCase("/a/b/../..", "/")]
    [TestCase("/.a/..b/c..", "/.a/..b/c..")]
    [TestCase("/a/...", null)]
    [TestCase("/..../a", null)]
    public void TryNormalizeUnix_Path_IsItsNormalForm(string path, string? expected)
    {
        char[] buffer = new char[path.Length + 2];
        Assert.That(LexicalPath.TryNormalizeUnix(path, buffer, out int length), Is.EqualTo(expected is not null));
        if (expected is not null)
        {
            Assert.That(new string(buffer, 0, length), Is.EqualTo(expected));
        }
    }

    [TestCase("", "Relative", 0, "")]
    [TestCase("a", "Relative", 0, "")]
    [TestCase("1:\\a", "Relative", 0, "")]
    [TestCase("C", "Relative", 0, "")]
    [TestCase("C:", "Dependent", 0, "")]
    [TestCase("C:a", "Dependent", 0, "")]
    [TestCase("\\", "Dependent", 0, "")]
    [TestCase("/a", "Dependent", 0, "")]
    [TestCase("\\\\?\\C:\\a", "Device", 0, "")]
    [TestCase("//./a", "Device", 0, "")]
    [TestCase("\\??\\C:\\a", "Device", 0, "")]
    [TestCase("\\??", "Device", 0, "")]
    [TestCase("\\??a", "Dependent", 0, "")]
    [TestCase("\\\\host", "BrokenShare", 0, "")]
    [TestCase("\\\\host\\", "BrokenShare", 0, "")]
    [TestCase("\\\\\\share", "BrokenShare", 0, "")]
    [TestCase("\\\\host\\..", "BrokenShare", 0, "")]
    [TestCase("\\\\host\\.", "BrokenShare", 0, "")]
    [TestCase("\\\\..\\share", "BrokenShare", 0, "")]
    [TestCase("\\\\host\\\\share", "BrokenShare", 0, "")]
    [TestCase("\\\\host\\share", "Share", 12, "\\\\host\\share")]
    [TestCase("//host/share/a\\.\\b/..", "Share", 12, "\\\\host\\share\\a")]
    [TestCase("\\\\host\\share\\..\\..\\a", "Share", 12, "\\\\host\\share\\a")]
    [TestCase("c:\\", "Drive", 3, "C:\\")]
    [TestCase("c:/a/.//b\\..\\", "Drive", 3, "C:\\a")]
    [TestCase("C:\\a\\..\\..", "Drive", 3, "C:\\")]
    public void ReadWindowsPrefix_Path_IsReadAsWindowsDoes(string path, string prefix, int length, string normal)
    {
        Assert.That(LexicalPath.ReadWindowsPrefix(path, out int prefixLength).ToString(), Is.EqualTo(prefix));
        Assert.That(prefixLength, Is.EqualTo(length));
        if (normal.Length > 0)
        {
            char[] buffer = new char[path.Length + 2];
            LexicalPath.NormalizeWindows(path, LexicalPath.ReadWindowsPrefix(path, out _), prefixLength, buffer, out int written);
            Assert.That(new string(buffer, 0, written), Is.EqualTo(normal));
        }
    }

    [TestCase("/a/b", "/a", PathFlavor.Unix, true)]
    [TestCase("/a", "/a", PathFlavor.Unix, true)]
    [TestCase("/ab", "/a", PathFlavor.Unix, false)]
    [TestCase("/a", "/a/b", PathFlavor.Unix, false)]
    [TestCase("/a", "/", PathFlavor.Unix, true)]
    [TestCase("/A/b", "/a", PathFlavor.Unix, false)]
    [TestCase("/a\\b", "/a", PathFlavor.Unix, false)]
    [TestCase("C:\\A\\b", "C:\\a", PathFlavor.Windows, true)]
    [TestCase("C:\\ab", "C:\\a", PathFlavor.Windows, false)]
    [TestCase("C:\\a", "C:\\", PathFlavor.Windows, true)]
    public void IsInside_Path_IsByWholeSegments(string path, string root, PathFlavor flavor, bool expected) => Assert.That(LexicalPath.IsInside(path, root, flavor), Is.EqualTo(expected));

    [TestCase("CON", true)]
    [TestCase("con.txt", true)]
    [TestCase(" PRN ", true)]
    [TestCase("aux .x", true)]
    [TestCase("NUL:x", true)]
    [TestCase("conin$", true)]
    [TestCase("CONOUT$", true)]
    [TestCase("clock$.a", true)]
    [TestCase("COM0", true)]
    [TestCase("com9.x", true)]
    [TestCase("LPT\u00B9", true)]
    [TestCase("lpt\u00B2", true)]
    [TestCase("LPT\u00B3", true)]
    [TestCase("COM", false)]
    [TestCase("COM10", false)]
    [TestCase("COMx", false)]
    [TestCase("LPX1", false)]
    [TestCase("CONN", false)]
    [TestCase("x.CON", false)]
    [TestCase("", false)]
    public void IsReserved_Segment_IsADevice(string segment, bool expected) => Assert.That(WindowsNames.IsReserved(segment), Is.EqualTo(expected));

    [TestCase("A~1", true)]
    [TestCase("~1", true)]
    [TestCase("PROGRA~1", true)]
    [TestCase("PROGRA~1.TXT", true)]
    [TestCase("AB~12.T", true)]
    [TestCase("A~B~1", true)]
    [TestCase("PROGRAM~1", false)]
    [TestCase("A~1.TEXT", false)]
    [TestCase("A~1.T.X", false)]
    [TestCase("A~", false)]
    [TestCase("A~1B", false)]
    [TestCase("A1", false)]
    [TestCase("~", false)]
    [TestCase("A.~1", false)]
    [TestCase(".A~1", false)]
    public void IsShortName_Segment_LooksGenerated(string segment, bool expected) => Assert.That(WindowsNames.IsShortName(segment), Is.EqualTo(expected));

    [TestCase("a", null)]
    [TestCase(".", null)]
    [TestCase("..", null)]
    [TestCase("", null)]
    [TestCase("a:b", "Stream")]
    [TestCase("a*", "ForbiddenCharacter")]
    [TestCase("a?", "ForbiddenCharacter")]
    [TestCase("a<", "ForbiddenCharacter")]
    [TestCase("a>", "ForbiddenCharacter")]
    [TestCase("a\"", "ForbiddenCharacter")]
    [TestCase("a|", "ForbiddenCharacter")]
    [TestCase("a.", "TrailingDotOrBlank")]
    [TestCase("a ", "TrailingDotOrBlank")]
    [TestCase("...", "DotsOnlySegment")]
    [TestCase("nul.txt", "ReservedName")]
    public void TryAccept_Segment_IsANameOfWindows(string segment, string? reason)
    {
        Assert.That(WindowsNames.TryAccept(segment, out PathDenial denial), Is.EqualTo(reason is null));
        Assert.That(reason is null ? null : denial.ToString(), Is.EqualTo(reason));
    }

    [TestCase("file:///a/b", PathFlavor.Unix, "/a/b", null)]
    [TestCase("FILE:/a", PathFlavor.Unix, "/a", null)]
    [TestCase("file://LOCALHOST/a", PathFlavor.Unix, "/a", null)]
    [TestCase("file:///a%20%C3%A9%F0%9F%98%80b", PathFlavor.Unix, "/a é😀b", null)]
    [TestCase("file:///%61%", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%6", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%zz", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%00", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%2f", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%5C", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%c3", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///%c3a%a9", PathFlavor.Unix, null, "UriEscape")]
    [TestCase("file:///a?b", PathFlavor.Unix, null, "UriQueryOrFragment")]
    [TestCase("file:///a#b", PathFlavor.Unix, null, "UriQueryOrFragment")]
    [TestCase("file:///a b", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:///a\\b", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:///a\u0001", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:///a\u3000", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:a", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file://host", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file:////a", PathFlavor.Unix, null, "UriPath")]
    [TestCase("file://host/a", PathFlavor.Unix, null, "UriAuthority")]
    [TestCase("file://localhost:1/a", PathFlavor.Unix, null, "UriAuthority")]
    [TestCase("http://a", PathFlavor.Unix, null, "NotAFileUri")]
    [TestCase(" ", PathFlavor.Unix, null, "Empty")]
    [TestCase("file:///C:/a", PathFlavor.Windows, "C:/a", null)]
    [TestCase("file:///C:", PathFlavor.Windows, "C:", null)]
    [TestCase("file:///a/b", PathFlavor.Windows, "/a/b", null)]
    [TestCase("file:///C", PathFlavor.Windows, "/C", null)]
    [TestCase("file://host-1.x_y/share", PathFlavor.Windows, "\\\\host-1.x_y/share", null)]
    [TestCase("file://a@b/share", PathFlavor.Windows, null, "UriAuthority")]
    [TestCase("file://./share", PathFlavor.Windows, null, "UriAuthority")]
    [TestCase("file://../share", PathFlavor.Windows, null, "UriAuthority")]
    public void TryRead_FileUri_IsReadInOneWay(string uri, PathFlavor flavor, string? path, string? reason)
    {
        Assert.That(FileUriPath.TryRead(uri, flavor, out string read, out PathDenial denial), Is.EqualTo(reason is null));
        Assert.That(read, Is.EqualTo(path ?? string.Empty));
        Assert.That(reason is null ? null : denial.ToString(), Is.EqualTo(reason));
    }

    [TestCase("/a-._~!$&'()*+,=:@b", "file:///a-._~!$&'()*+,=:@b")]
    [TestCase("/a b\\c%d\"", "file:///a%20b%5Cc%25d%22")]
    [TestCase("/\U0001F600", "file:///%F0%9F%98%80")]
    public void Write_UnixPath_ReadsBack(string path, string uri)
    {
        Assert.That(FileUriPath.Write(path, PathFlavor.Unix), Is.EqualTo(uri));
        if (!path.Contains('\\', StringComparison.Ordinal))
        {
            Assert.That(FileUriPath.TryRead(uri, PathFlavor.Unix, out string read, out _), Is.True);
            Assert.That(read, Is.EqualTo(path));
        }
    }

    [Test]
    public void TryResolve_Links_AreFollowedAsTheKernelDoes() => Assert.Multiple(() =>
    {
        var links = new Scripted(new()
        {
            ["/a/link"] = "/b/c",
            ["/a/up"] = "../b",
            ["/b/c"] = "d/./e",
            ["/a/loop"] = "/a/loop",
            ["/a/self"] = "self/x",
            ["/x"] = "/",
            ["/a/dot"] = ".",
            ["/bad"] = "relative/../../..",
            ["/a/drive"] = "C:/x",
            ["/a/back"] = "\\x",
        }, missing: ["/a/none"], unreadable: ["/secret"]);
        Assert.That(Resolve("/a/plain/b", links), Is.EqualTo("/a/plain/b"));
        Assert.That(Resolve("/a/link/f", links), Is.EqualTo("/b/d/e/f"));
        Assert.That(Resolve("/a/up/f", links), Is.EqualTo("/b/f"));
        Assert.That(Resolve("/a/link/../f", links), Is.EqualTo("/b/d/f"), "dot-dot leaves the folder that the link led to");
        Assert.That(Resolve("/a/none/../up", links), Is.EqualTo("/b"), "what follows a missing part that was left again is read again");
        Assert.That(Resolve("/a/none/up", links), Is.EqualTo("/a/none/up"));
        Assert.That(Resolve("/x/a/dot/./f", links), Is.EqualTo("/a/f"));
        Assert.That(Resolve("/..", links), Is.EqualTo("/"));
        Assert.That(Resolve("/", links), Is.EqualTo("/"));
        Assert.That(Resolve("/bad", links), Is.EqualTo("/"));
        Assert.That(Resolve("/a/loop", links), Is.EqualTo("LinkLoop"));
        Assert.That(Resolve("/a/drive", links), Is.EqualTo("/a/C:/x"), "a drive is a name here");
        Assert.That(Resolve("/a/back", links), Is.EqualTo("/a/\\x"));
        Assert.That(Resolve("/a/self", links), Is.EqualTo("LinkLoop"));
        Assert.That(Resolve("/secret/x", links), Is.EqualTo("Unreadable"));
    });

    [TestCase(40, "/end")]
    [TestCase(41, "LinkLoop")]
    public void TryResolve_ChainOfLinks_IsFollowedAsFarAsLinuxDoes(int length, string expected)
    {
        var links = new Scripted(Enumerable.Range(0, length).ToDictionary(i => $"/l{i}", i => i == length - 1 ? "/end" : $"/l{i + 1}"), [], []);
        Assert.That(Resolve("/l0", links), Is.EqualTo(expected));
    }

    [Test]
    public void TryResolve_WindowsLinks_LeadWhereWindowsLeads() => Assert.Multiple(() =>
    {
        var links = new Scripted(new()
        {
            [@"C:\a\junction"] = @"\??\D:\data",
            [@"C:\a\long"] = @"\\?\d:\data",
            [@"C:\a\share"] = @"\\host/disk\x",
            [@"C:\a\up"] = "../b\\c",
            [@"C:\a\top"] = @"C:\",
            [@"C:\a\rooted"] = @"\x",
            [@"C:\a\device"] = @"\\.\pipe\x",
        }, [], []);
        Assert.That(Resolve(@"c:\a\junction\f", links, PathFlavor.Windows), Is.EqualTo(@"D:\data\f"));
        Assert.That(Resolve(@"C:\a\long\f", links, PathFlavor.Windows), Is.EqualTo(@"D:\data\f"));
        Assert.That(Resolve(@"C:\a\share\f", links, PathFlavor.Windows), Is.EqualTo(@"\\host\disk\x\f"));
        Assert.That(Resolve(@"C:\a\share\..", links, PathFlavor.Windows), Is.EqualTo(@"\\host\disk"));
        Assert.That(Resolve(@"C:\a\up\f", links, PathFlavor.Windows), Is.EqualTo(@"C:\b\c\f"));
        Assert.That(Resolve(@"C:\a\top", links, PathFlavor.Windows), Is.EqualTo(@"C:\"));
        Assert.That(Resolve(@"C:\a\rooted", links, PathFlavor.Windows), Is.EqualTo("Unreadable"), "the drive it means is not known");
        Assert.That(Resolve(@"C:\a\device", links, PathFlavor.Windows), Is.EqualTo("Unreadable"));
        Assert.That(Resolve(@"a\b", links, PathFlavor.Windows), Is.EqualTo("Unreadable"));
    });

    [Test]
    public void TryResolve_LinkToTheTop_LeavesNothingOfTheWayToIt() => Assert.Multiple(() =>
    {
        var links = new Scripted(new() { ["/a/b/link"] = "/x", ["/a/none/ghost"] = "/etc", ["/a\\b"] = "/x" }, ["/a/none"], []);
        Assert.That(Resolve("/a/b/link/../../y", links), Is.EqualTo("/y"));
        Assert.That(Resolve("/a/b/link/..", links), Is.EqualTo("/"));
        Assert.That(Resolve("/a/none/ghost", links), Is.EqualTo("/a/none/ghost"), "nothing below what does not exist is asked for");
        Assert.That(Resolve("/a\\b/c", links), Is.EqualTo("/x/c"), "a backslash is part of a name");
    });

    [Test]
    public void TryResolve_TextThatLinksLengthen_IsBounded() => Assert.Multiple(() =>
    {
        var links = new Scripted(new() { ["/most"] = Dots(65_536), ["/more"] = Dots(65_537) }, [], []);
        Assert.That(Resolve("/most", links), Is.EqualTo("/"));
        Assert.That(Resolve("/more", links), Is.EqualTo("LinkLoop"));
        Assert.That(Resolve("/" + new string('a', 32_766), links), Has.Length.EqualTo(32_767));
        Assert.That(Resolve("/" + new string('a', 32_767), links), Is.EqualTo("TooLong"));

        static string Dots(int count) => string.Join('/', Enumerable.Repeat(".", count));
    });

    [Test]
    [Platform(Include = "Linux")]
    public void Read_EntriesOfAFolder_AreToldApartByBothReaders()
    {
        string folder = Directory.CreateTempSubdirectory("mcp-guard-links-").FullName;
        try
        {
            File.WriteAllText(At("file"), "x");
            File.CreateSymbolicLink(At("link"), "file");
            File.CreateSymbolicLink(At("dangling"), "/none/such");
            using (var make = System.Diagnostics.Process.Start("sh", ["-c", "ln -s \"$(printf '\\377')\" \"$1\"", "sh", At("odd")]))
            {
                make.WaitForExit();
            }

            foreach (LinkReader reader in new LinkReader[] { new ManagedLinkReader(), new UnixLinkReader() })
            {
                Assert.That(Told("none"), Is.EqualTo((LinkStatus.Missing, null as string)));
                Assert.That(Told("none/x"), Is.EqualTo((LinkStatus.Missing, null as string)));
                Assert.That(Told("file/x"), Is.EqualTo((LinkStatus.Missing, null as string)));
                Assert.That(Told("file"), Is.EqualTo((LinkStatus.NotALink, null as string)));
                Assert.That(Told(string.Empty), Is.EqualTo((LinkStatus.NotALink, null as string)));
                Assert.That(Told("link"), Is.EqualTo((LinkStatus.Link, "file")));
                Assert.That(Told("dangling"), Is.EqualTo((LinkStatus.Link, "/none/such")));
                Assert.That(Told("a\0b"), Is.EqualTo((LinkStatus.Unreadable, null as string)));

                (LinkStatus, string?) Told(string name) => (reader.Read(At(name), out string? target), target);
            }

            var unix = new UnixLinkReader();
            Assert.That(unix.Read(At("odd"), out string? none), Is.EqualTo(LinkStatus.Unreadable), "a target that is no text");
            Assert.That(none, Is.Null);
            Assert.That(unix.Read("/" + new string('a', PathRules.MaxUnixBytes), out _), Is.EqualTo(LinkStatus.Unreadable));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string At(string name) => Path.Combine(folder, name);
    }

    [Test]
    [Platform(Include = "Linux")]
    public void UnixReader_PathAsLongAsTheSystemTakes_IsRead() => Assert.Multiple(() =>
    {
        var reader = new UnixLinkReader();
        string longest = "/none-such-" + string.Concat(Enumerable.Repeat("/a", 2_042));
        Assert.That(longest, Has.Length.EqualTo(4_095));
        Assert.That(reader.Read(longest, out _), Is.EqualTo(LinkStatus.Missing));
        Assert.That(reader.Read(longest + "/", out _), Is.EqualTo(LinkStatus.Unreadable));
        Assert.That(reader.IsFreeOfLinks(longest), Is.True);
        foreach (string other in new[] { longest + "/", longest + "/a", "/none-such\0", "/none-such\ud800x" })
        {
            Assert.That(reader.IsFreeOfLinks(other), Is.False, $"{other.Length} characters: nothing was looked at");
        }

        Assert.That(reader.Read("/none-such\ud800x", out _), Is.EqualTo(LinkStatus.Unreadable));
    });

    [TestCase("/etc", true)]
    [TestCase("C:", false)]
    [TestCase("fi\tle:///etc/passwd", true, Description = "readers of URLs drop tabs and line ends (WHATWG URL)")]
    [TestCase("f\ni\rl\te\n:/etc/passwd", true)]
    [TestCase("\u0001 file:///etc/passwd", true, Description = "and what stands in front")]
    [TestCase("file:///etc/pass\nwd", true)]
    [TestCase("file:/etc\n\n", true)]
    [TestCase("File: a.txt\nDate: today", false)]
    [TestCase("profile:/etc", false)]
    [TestCase("%20", false)]
    [TestCase("a//..", true)]
    [TestCase("/a\u2028b", true, Description = "one line for a file system")]
    [TestCase("%252541", false)]
    [TestCase("%25252541", true, Description = "encoded so often that nobody says what it is")]
    [TestCase("\\x", true)]
    [TestCase("file:x", true)]
    [TestCase("C:\\x", true)]
    [TestCase("c:/x", true)]
    [TestCase("C:x", false)]
    [TestCase("1:/x", false)]
    [TestCase("~", true)]
    [TestCase("~ada", true)]
    [TestCase("~$x", false)]
    [TestCase("$HOME", false)]
    [TestCase("$HOME/x", true)]
    [TestCase("%TEMP%", false)]
    [TestCase("%TEMP%\\x", true)]
    [TestCase("..", true)]
    [TestCase("a/..", true)]
    [TestCase("a\\..\\b", true)]
    [TestCase("a/ .. /b", true)]
    [TestCase("a/..;x/b", true)]
    [TestCase("a/...", false)]
    [TestCase("a..b", false)]
    [TestCase("%2e%2e/x", true)]
    [TestCase("%252e%252e/x", true)]
    [TestCase("%2fetc", true)]
    [TestCase("\uFF0E\uFF0E/x", true)]
    [TestCase(" \"'`\uFEFF\u200B\u2060/etc", true)]
    [TestCase("/a\n/b", true)]
    [TestCase("/a\n\n\"/b\"", true)]
    [TestCase("/a\r\nb", false)]
    [TestCase("// a\nint x;", false)]
    [TestCase("", false)]
    [TestCase("\"\"", false)]
    [TestCase("word", false)]
    public void LooksLikePath_Text_IsToldByItsLook(string text, bool expected)
    {
        Assert.That(PathLook.LooksLikePath(text), Is.EqualTo(expected));
        Assert.That(!expected || PathLook.MayLookLikePath(Encoding.UTF8.GetBytes(text)), Is.True, "the cheap look passes whatever the exact one would take");
    }

    [Test]
    public void LooksLikePath_LongText_IsNotLookedAt()
    {
        Assert.That(PathLook.LooksLikePath("/" + new string('a', PathRules.MaxWindowsChars - 1)), Is.True);
        Assert.That(PathLook.LooksLikePath("/" + new string('a', PathRules.MaxWindowsChars)), Is.False);
    }

    [TestCase("plain words 1,2;3", false)]
    [TestCase("a.b", false)]
    [TestCase("a..b", true)]
    [TestCase("a/b", true)]
    [TestCase("a\\b", true)]
    [TestCase("~", true)]
    [TestCase("50%", true)]
    [TestCase("a:b", true)]
    [TestCase("\u00e9", true)]
    public void MayLookLikePath_Text_PassesWhereASignStands(string text, bool expected) => Assert.That(PathLook.MayLookLikePath(Encoding.UTF8.GetBytes(text)), Is.EqualTo(expected));

    [TestCase("a", PathFlavor.Unix, "")]
    [TestCase("a%2eb", PathFlavor.Unix, "a.b")]
    [TestCase("a;x/b", PathFlavor.Unix, "a/b")]
    [TestCase("a;x\\b", PathFlavor.Windows, "a\\b")]
    [TestCase(" 'a' ", PathFlavor.Unix, "a| 'a'")]
    [TestCase("a\\b", PathFlavor.Unix, "a/b")]
    [TestCase("a\\b", PathFlavor.Windows, "")]
    [TestCase("a./b ", PathFlavor.Unix, "a./b|a/b")]
    [TestCase(".\u00AD.", PathFlavor.Unix, "..")]
    [TestCase("\u2044\u2215\u29F8", PathFlavor.Unix, "///")]
    [TestCase("\u2216\u29F5\u29F9\u00A5\u20A9", PathFlavor.Windows, "\\\\\\\\\\")]
    [TestCase("a\u3002\uFF61b", PathFlavor.Unix, "a..b")]
    [TestCase("a\u2236\uA789b", PathFlavor.Unix, "a::b")]
    [TestCase("\u201Ca\u00BB", PathFlavor.Unix, "a")]
    [TestCase(".. ", PathFlavor.Unix, "..")]
    [TestCase(" . ", PathFlavor.Unix, ".")]
    public void Next_Text_GivesEveryOtherReadingOnce(string text, PathFlavor flavor, string expected)
    {
        var readings = new PathReadings(text, flavor);
        var seen = new List<string>();
        while (readings.Next() is { } reading)
        {
            seen.Add(reading);
        }

        Assert.That(seen, Is.Unique.And.None.EqualTo(text));
        Assert.That(expected.Length == 0 ? [] : expected.Split('|'), Is.SubsetOf(seen.Append(string.Empty)), string.Join("|", seen));
        Assert.That(expected.Length > 0 || seen.Count == 0, Is.True, string.Join("|", seen));
        Assert.That(readings.TooMany, Is.False);
    }

    [TestCase("a\u00AD\u00ADb", PathFlavor.Unix, "ab")]
    [TestCase("a./b./c", PathFlavor.Unix, "a/b/c")]
    [TestCase("a/.. /b", PathFlavor.Unix, "a/../b")]
    [TestCase("a/. /b", PathFlavor.Unix, "a/./b")]
    [TestCase(" a", PathFlavor.Unix, "a")]
    [TestCase("a%41", PathFlavor.Windows, "aA")]
    public void Next_Text_GivesOneOtherReadingAlone(string text, PathFlavor flavor, string expected)
    {
        var readings = new PathReadings(text, flavor);
        Assert.That((readings.Next(), readings.Next()), Is.EqualTo((expected, null as string)));
    }

    [Test]
    public void Next_TextOfManyReadings_EndsAtTheBound()
    {
        var readings = new PathReadings("%" + string.Concat(Enumerable.Repeat("25", 600)) + "2e", PathFlavor.Unix);
        int given = 1; // the text itself
        while (readings.Next() is not null)
        {
            given++;
        }

        Assert.That((given, readings.TooMany), Is.EqualTo((PathReadings.MaxReadings, true)));
    }

    [Test]
    public void Next_ReadingThatGrows_EndsAtTheBound()
    {
        // Each of these signs stands for six characters.
        var readings = new PathReadings(new string('\u33AF', PathRules.MaxWindowsChars), PathFlavor.Windows);
        Assert.That((readings.Next(), readings.TooMany), Is.EqualTo((null as string, true)));
    }

    private static string Resolve(string path, LinkReader links, PathFlavor flavor = PathFlavor.Unix)
    {
        bool known = LinkWalker.TryResolve(path, flavor, links, out string resolved, out PathDenial denial);
        Assert.That(known || resolved.Length == 0, Is.True, "what cannot be resolved has no form");
        return known ? resolved : denial.ToString();
    }

    /// <summary>A file system of links alone: everything else exists and is no link.</summary>
    private sealed class Scripted(Dictionary<string, string> links, string[] missing, string[] unreadable) : LinkReader
    {
        public override LinkStatus Read(string path, out string? target)
        {
            target = null;
            return unreadable.Contains(path) ? LinkStatus.Unreadable
                : missing.Contains(path) ? LinkStatus.Missing
                : links.TryGetValue(path, out target) ? LinkStatus.Link
                : LinkStatus.NotALink;
        }
    }
}
