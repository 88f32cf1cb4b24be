using System.Text;
using Mcp.Guard.Isolation.Launch;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Isolation;

/// <summary>How the memory of a box is summed, over a folder made like /proc; and when the watch ends a box.</summary>
[TestFixture]
internal sealed class BoxMemoryTests
{
    private const long Mebi = 1L << 20;

    private string _proc = "";
    private FakeTimeProvider _time = new();

    [SetUp]
    public void SetUp() => (_time, _proc) = (new(), Directory.CreateTempSubdirectory("guard-proc-").FullName);

    [TearDown]
    public void TearDown() => Directory.Delete(_proc, recursive: true);

    [Test]
    public void TryReadStatus_KernelText_AddsWhatIsHeld()
    {
        const string Status = "Name:\tRssAnon:\\n 9 kB\nState:\tS (sleeping)\nVmPTE:\t      8 kB\nVmSwap:\t      4 kB\nRssAnon:\t     100 kB\nRssFile:\t    5000 kB\nRssShmem:\t      16 kB\nHugetlbPages:\t    2048 kB\n";
        Assert.Multiple(() =>
        {
            Assert.That(ProcessMemory.TryReadStatus(Encoding.UTF8.GetBytes(Status), out ProcessMemory memory), Is.True);
            Assert.That(memory, Is.EqualTo(new ProcessMemory(104 * 1024, 16 * 1024, 2048 * 1024, 8 * 1024)));
        });
    }

    [TestCase("")]
    [TestCase("Name:\tx\nState:\tZ (zombie)\n")]
    [TestCase("RssAnon:\t kB\n")]
    [TestCase("RssAnon:\t-1 kB\n")]
    [TestCase("RssAnon:\t99999999999999999999 kB\n")]
    public void TryReadStatus_WithoutMemory_SaysSo(string status) =>
        Assert.That(ProcessMemory.TryReadStatus(Encoding.UTF8.GetBytes(status), out _), Is.False);

    [Test]
    public void TryReadRollup_KernelText_CountsPartsAndNoFiles()
    {
        const string Rollup = "55-7f ---p 0 00:00 0    [rollup]\nRss:      1772 kB\nPss:       280 kB\nPss_Anon:       116 kB\nPss_File:       164 kB\nPss_Shmem:         3 kB\nShared_Hugetlb:        1 kB\nPrivate_Hugetlb:       2 kB\nSwapPss:        5 kB\n";
        Assert.Multiple(() =>
        {
            Assert.That(ProcessMemory.TryReadRollup(Encoding.UTF8.GetBytes(Rollup), out ProcessMemory memory), Is.True);
            Assert.That(memory, Is.EqualTo(new ProcessMemory(121 * 1024, 3 * 1024, 3 * 1024, 0)));
            Assert.That(ProcessMemory.TryReadRollup("Pss:  280 kB\nAnonymous: 116 kB\n"u8, out _), Is.False, "an older kernel");
        });
    }

    [Test]
    public void Read_Descendants_CountAndOthersDoNot()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 10, megabytes: 20);
        Add(12, parent: 11, megabytes: 300);
        Add(20, parent: 1, megabytes: 5000);
        Add(21, parent: 20, megabytes: 5000);
        BoxReading reading = Box(10).Read(1 << 20);
        Assert.Multiple(() =>
        {
            Assert.That(reading.Seen, Is.True);
            Assert.That(reading.Processes, Is.EqualTo(3));
            Assert.That(reading.Bytes, Is.EqualTo(321 * Mebi));
        });
    }

    [Test]
    public void Read_ChildWithALowerId_Counts()
    {
        // Ids begin again where they have run out.
        Add(500, parent: 1, megabytes: 1);
        Add(900, parent: 500, megabytes: 1);
        Add(5, parent: 900, megabytes: 40);
        Assert.That(Box(500).Read(long.MaxValue / 16).Bytes, Is.EqualTo(42 * Mebi));
    }

    [Test]
    public void Read_IdThatWasOutsideAndIsGivenToTheBox_CountsAgain()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 1, megabytes: 1);
        BoxMemory box = Box(10);
        box.Read(1 << 30);
        Add(11, parent: 10, megabytes: 400);
        long most = 0;
        for (int look = 0; look < 20; look++)
        {
            most = Math.Max(most, box.Read(long.MaxValue / 16).Bytes);
        }

        Assert.That(most, Is.EqualTo(401 * Mebi));
    }

    /// <summary>The kernel begins again with low ids when they have run out: then nobody is known to be outside any more.</summary>
    [TestCase(900, 12, true)]
    [TestCase(900, 901, false)]
    public void Read_IdsBeganAgain_OneThatIsGivenToTheBoxCountsAtOnce(int before, int after, bool counts)
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 1, megabytes: 1);
        LastId(before);
        BoxMemory box = Box(10);
        box.Read(1 << 30);
        box.Read(1 << 30);
        Add(11, parent: 10, megabytes: 400);
        LastId(after);
        Assert.That(box.Read(long.MaxValue / 16).Bytes, Is.EqualTo((counts ? 401 : 1) * Mebi), "what is outside is not read at each look");
    }

    /// <summary>Ids that were all used up between two looks end above the last one too; where the time was enough for that, nobody is known to be outside.</summary>
    [TestCase(32, false)]
    [TestCase(33, true)]
    public void Read_AllIdsUsedUpBetweenTwoLooks_OneThatIsGivenToTheBoxCountsAtOnce(int milliseconds, bool counts)
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 1, megabytes: 1);
        LastId(900);
        BoxMemory box = Box(10);
        box.Read(1 << 30);
        box.Read(1 << 30);
        Add(11, parent: 10, megabytes: 400);
        LastId(901);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Assert.That(box.Read(long.MaxValue / 16).Bytes, Is.EqualTo((counts ? 401 : 1) * Mebi));
    }

    [Test]
    public void Read_IdWasOutsideAndThenNobodys_CountsAtOnce()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 1, megabytes: 1);
        LastId(900);
        BoxMemory box = Box(10);
        box.Read(1 << 30);
        Directory.Delete(Path.Combine(_proc, "11"), recursive: true);
        box.Read(1 << 30);
        Add(11, parent: 10, megabytes: 400);
        Assert.That(box.Read(long.MaxValue / 16).Bytes, Is.EqualTo(401 * Mebi));
    }

    [TestCase("0.1 0.2 0.3 1/180 4711\n", 4711)]
    [TestCase("4711", 4711)]
    [TestCase("0.1 0.2 0.3 1/180 -4\n", 0)]
    [TestCase("0.1 0.2 0.3 1/180 99999999999\n", 0)]
    [TestCase("0.1 0.2 0.3 1/180 12x\n", 0)]
    [TestCase("", 0)]
    public void LastId_KernelText_IsTheLastNumberOrNone(string text, int last)
    {
        File.WriteAllText(Path.Combine(_proc, "loadavg"), text);
        Assert.That(new ProcFiles(_proc).LastId(), Is.EqualTo(last));
    }

    [Test]
    public void Read_ProcessWhoseFirstThreadHasEnded_IsReadUnderAnother()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 10, megabytes: 0);
        Write(11, "status", "Name:\tx\nState:\tZ (zombie)\n");
        Directory.CreateDirectory(Path.Combine(_proc, "11", "task", "11"));
        Directory.CreateDirectory(Path.Combine(_proc, "11", "task", "13"));

        // The kernel does not list a thread below /proc and still opens its folder there; here its parent is unreadable instead.
        Directory.CreateDirectory(Path.Combine(_proc, "13"));
        Write(13, "status", Status(700));
        Assert.That(Box(10).Read(long.MaxValue / 16).Bytes, Is.EqualTo(701 * Mebi));
    }

    [Test]
    public void Read_PagesSharedAfterAFork_CountOnceNearTheLimit()
    {
        Add(10, parent: 1, megabytes: 1);
        for (int worker = 11; worker < 15; worker++)
        {
            Add(worker, parent: 10, megabytes: 100);
            Write(worker, "smaps_rollup", "Pss_Anon:  25600 kB\nPss_Shmem: 0 kB\n");
        }

        Assert.Multiple(() =>
        {
            Assert.That(Box(10).Read(110 * Mebi).Bytes, Is.EqualTo(101 * Mebi));
            Assert.That(Box(10).Read(40 * Mebi).Bytes, Is.EqualTo(401 * Mebi), "more than eight times the limit needs no closer look");
        });
    }

    [Test]
    public void Read_RollupThatCannotBeRead_CountsWhole()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(11, parent: 10, megabytes: 300);
        Assert.That(Box(10).Read(256 * Mebi).Bytes, Is.GreaterThan(256 * Mebi));
    }

    [Test]
    public void Read_ProcessesThatFormARing_Ends()
    {
        Add(10, parent: 1, megabytes: 1);
        Add(30, parent: 31, megabytes: 1);
        Add(31, parent: 30, megabytes: 1);
        Assert.That(Box(10).Read(1 << 30).Processes, Is.EqualTo(1));
    }

    [Test]
    public void Read_BoxThatIsNotThere_IsNotSeen()
    {
        Add(11, parent: 1, megabytes: 1);
        Assert.That(Box(10).Read(1 << 30).Seen, Is.False);
    }

    [Test]
    public void Watch_OneLookOverTheLimit_IsLookedAtAgain()
    {
        int looks = 0;
        using var calm = new ManualResetEventSlim();
        string? ended = null;
        using var watch = new MemoryWatch(100, _ => new BoxReading(true, Looked(ref looks, calm) == 2 ? 101 : 99, 1), reason => ended = reason);
        watch.Start();
        Assert.That(calm.Wait(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(ended, Is.Null);
    }

    [TestCase(true, 101, "over its limit of 100")]
    [TestCase(false, 0, "cannot be seen")]
    public void Watch_OverTheLimitOrBlind_EndsOnce(bool seen, long bytes, string says)
    {
        var ended = new List<string>();
        using var told = new ManualResetEventSlim();
        using var watch = new MemoryWatch(100, _ => new BoxReading(seen, bytes, 1), reason =>
        {
            ended.Add(reason);
            told.Set();
        });
        watch.Start();
        Assert.That(told.Wait(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(ended, Has.Count.EqualTo(1).And.All.Contains(says));
    }

    [Test]
    public void Watch_LookThatFails_EndsTheBox()
    {
        using var told = new ManualResetEventSlim();
        using var watch = new MemoryWatch(100, _ => throw new InvalidOperationException("x"), _ => told.Set());
        watch.Start();
        Assert.That(told.Wait(TimeSpan.FromSeconds(30)), Is.True);
    }

    // A thread of its own has nobody above it: what is thrown there ends the whole host.
    [TestCase(true)]
    [TestCase(false)]
    public void Watch_EndThatThrows_HostLives(bool looks)
    {
        using var told = new ManualResetEventSlim();
        var watch = new MemoryWatch(100, _ => looks ? new BoxReading(true, 101, 1) : throw new InvalidOperationException("x"), _ =>
        {
            told.Set();
            throw new InvalidOperationException("a logger of the host's");
        });
        watch.Start();
        Assert.That(told.Wait(TimeSpan.FromSeconds(30)), Is.True);
        Assert.That(watch.Ended.Wait(TimeSpan.FromSeconds(30)), Is.True);
    }

    [TestCase(0, 0, 1000)]
    [TestCase(4096 - 100, 0, 50)]
    [TestCase(5000, 0, 50)]
    [TestCase(4096 - 1024, 0, 500)]
    [TestCase(4096 - 100, 100, 400)]
    [TestCase(4096 - 100, 20_000, 1000)] // a box that makes looking slow is not left alone for longer than any other
    public void Next_Headroom_DecidesWhenToLookAgain(long megabytes, int tookMilliseconds, int milliseconds) => Assert.That(
        MemoryWatch.Next(4096 * Mebi, megabytes * Mebi, TimeSpan.FromMilliseconds(tookMilliseconds)), Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    private static int Looked(ref int looks, ManualResetEventSlim calm)
    {
        if (++looks == 5)
        {
            calm.Set();
        }

        return looks;
    }

    private BoxMemory Box(int first)
    {
        Directory.CreateDirectory(Path.Combine(_proc, "sys", "kernel"));
        File.WriteAllText(Path.Combine(_proc, "sys", "kernel", "pid_max"), "32768\n");
        return new(first, new ProcFiles(_proc), _time);
    }

    private void LastId(int id) => File.WriteAllText(Path.Combine(_proc, "loadavg"), $"0.00 0.01 0.05 1/180 {id}\n");

    private void Add(int id, int parent, int megabytes)
    {
        Directory.CreateDirectory(Path.Combine(_proc, $"{id}"));
        Write(id, "stat", $"{id} (a) b) S {parent} {id} 1 0 -1 0\n");
        Write(id, "status", Status(megabytes));
    }

    private static string Status(int megabytes) => $"Name:\tx\nVmPTE:\t0 kB\nRssAnon:\t{megabytes * 1024} kB\nRssShmem:\t0 kB\nVmSwap:\t0 kB\n";

    private void Write(int id, string file, string text) => File.WriteAllText(Path.Combine(_proc, $"{id}", file), text);
}
