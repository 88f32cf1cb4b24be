using System.Globalization;
using Mcp.Guard.Isolation;
using Mcp.Guard.Isolation.Launch;

namespace Mcp.Guard.Tests.Isolation;

/// <summary>The small readers that plans rely on.</summary>
[TestFixture]
internal sealed class IsolationPartsTests
{
    [TestCase("/srv/a", "/srv", true)]
    [TestCase("/srv", "/srv", true)]
    [TestCase("/srv2", "/srv", false)]
    [TestCase("/srv", "/srv/a", false)]
    [TestCase("/srv", "/", true)]
    [TestCase("/", "/", true)]
    [TestCase("/Srv/a", "/srv", false)]
    public void IsAtOrUnder_Paths_WholeComponentsCount(string path, string folder, bool expected) => Assert.That(HostPaths.IsAtOrUnder(path, folder), Is.EqualTo(expected));

    [TestCase("/a//b/./c/", "/a/b/c")]
    [TestCase("/a/../../b", "/b")]
    [TestCase("/", "/")]
    public void Normalize_Path_IsLexical(string path, string expected) => Assert.That(HostPaths.Normalize(path), Is.EqualTo(expected));

    [TestCase("1000", true)]
    [TestCase("1000:100", true)]
    [TestCase("-1", false)]
    [TestCase("4294967295", false)]
    [TestCase("1000:", false)]
    [TestCase("a", false)]
    [TestCase(" 1", false)]
    [TestCase("", false)]
    [TestCase("0", true)]
    [TestCase("00", false)]
    [TestCase("01000", false)]
    [TestCase("1000:0100", false)]
    [TestCase("1000\0", false)]
    public void TryParse_User_DigitsOnly(string text, bool expected) => Assert.That(JailUser.TryParse(text, out _), Is.EqualTo(expected));

    [TestCase("Name:\tx\nCpus_allowed_list:\t0-2,5\n", "0,1,2,5")]
    [TestCase("Cpus_allowed_list:\t3\n", "3")]
    [TestCase("nothing", "")]
    public void AllowedProcessors_Status_GivesNumbers(string status, string expected) =>
        Assert.That(string.Join(',', IsolationHost.AllowedProcessors(status).Select(static number => number.ToString(CultureInfo.InvariantCulture))), Is.EqualTo(expected));

    [TestCase("{\n    \"child-pid\": 4711,\n    \"mnt-namespace\": 4026532260\n}\n", 4711)]
    [TestCase("{\"child-pid\": 12}", 12)]
    [TestCase("{\"child-pid\": 12", 0)]
    [TestCase("{\"child-pid\": 1,", 0)]
    [TestCase("{\"child-pid\": 99999999999,", 0)]
    [TestCase("{\"child-pid\": -5,", 0)]
    [TestCase("", 0)]
    public void TryReadChild_Answer_GivesTheProcess(string answer, int expected)
    {
        bool read = JailHandle.TryReadChild(answer, out int pid);
        Assert.That(read ? pid : 0, Is.EqualTo(expected));
    }

    [TestCase("plain-1.2/x", "plain-1.2/x")]
    [TestCase("", "\"\"")]
    [TestCase("a b", "\"a b\"")]
    [TestCase("a\"b\\", "\"a\\\"b\\\\\"")]
    [TestCase("a\u001b[2J\u202e\n", "\"a\\u{1b}[2J\\u{202e}\\u{a}\"")]
    [TestCase("é", "\"é\"")]
    public void Quote_Text_StaysOnOneLine(string text, string expected) => Assert.That(Printable.Quote(text), Is.EqualTo(expected));

    [Test]
    public void FindParent_DelegatedCgroup_IsFound()
    {
        DirectoryInfo mount = Directory.CreateTempSubdirectory("guard-cgroup-");
        try
        {
            string parent = Path.Combine(mount.FullName, "guard.service");
            Directory.CreateDirectory(Path.Combine(parent, "host"));
            File.WriteAllText(Path.Combine(mount.FullName, "cgroup.controllers"), "cpu memory pids\n");
            File.WriteAllText(Path.Combine(parent, "cgroup.procs"), "");
            string own = Path.Combine(mount.FullName, "own");
            File.WriteAllText(own, "9:memory:/x\n0::/guard.service/host\n");
            File.WriteAllText(Path.Combine(parent, "cgroup.subtree_control"), "cpu memory\n");
            Assert.That(CgroupDiscovery.FindParent(mount.FullName, own), Is.Null, "pids is not delegated");
            File.WriteAllText(Path.Combine(parent, "cgroup.subtree_control"), "cpu memory pids\n");
            Assert.That(CgroupDiscovery.FindParent(mount.FullName, own), Is.EqualTo(parent));
            File.WriteAllText(own, "0::/\n");
            Assert.That(CgroupDiscovery.FindParent(mount.FullName, own), Is.Null, "the root is nobody's to give");
        }
        finally
        {
            mount.Delete(recursive: true);
        }
    }

    [Test]
    public void Resolve_LocalPath_FollowsLinksAndTellsWhere()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("needs Linux");
        }

        string folder = LocalFiles.Instance.Resolve(Directory.CreateTempSubdirectory("guard-links-").FullName)!.Path;
        try
        {
            string real = Directory.CreateDirectory(Path.Combine(folder, "real")).FullName;
            File.CreateSymbolicLink(Path.Combine(folder, "one"), "real/../two");
            File.CreateSymbolicLink(Path.Combine(folder, "two"), real);
            File.CreateSymbolicLink(Path.Combine(folder, "loop"), "loop");
            HostFile? found = LocalFiles.Instance.Resolve(Path.Combine(folder, "one"));
            Assert.Multiple(() =>
            {
                Assert.That(found!.Path, Is.EqualTo(real));
                Assert.That(found.Kind, Is.EqualTo(HostFileKind.Folder));
                Assert.That(found.LinkFolders, Is.EqualTo(new[] { folder, folder }));
                Assert.That(LocalFiles.Instance.Resolve(Path.Combine(folder, "loop")), Is.Null);
                Assert.That(LocalFiles.Instance.Resolve(Path.Combine(folder, "absent")), Is.Null);
                Assert.That(LocalFiles.Instance.Resolve("relative"), Is.Null);
                Assert.That(LocalFiles.Instance.Resolve("/dev/null")!.Kind, Is.EqualTo(HostFileKind.Special));
            });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
