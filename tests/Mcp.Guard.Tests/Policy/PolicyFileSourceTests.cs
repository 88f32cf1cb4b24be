using Mcp.Guard.Policy;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Policy;

/// <summary>Hot reload with real files and a clock that stands still unless a test moves it.</summary>
[TestFixture]
internal sealed class PolicyFileSourceTests
{
    private const string One = """{"servers":{"one":{"hostProvided":true}}}""";
    private const string Two = """{"servers":{"two":{"hostProvided":true}}}""";

    private readonly FakeTimeProvider _time = new();
    private readonly List<PolicyChange> _changes = [];
    private string _folder = null!;
    private string _path = null!;

    [SetUp]
    public void MakeFile()
    {
        _changes.Clear();
        _folder = Directory.CreateTempSubdirectory("mcp-guard-reload-").FullName;
        _path = Path.Combine(_folder, "mcp-guard.json");
        File.WriteAllText(_path, One);
    }

    [TearDown]
    public void RemoveFile() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Construct_MissingFile_SaysSo()
    {
        File.Delete(_path);
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single();
        Assert.That((error.File, error.Message), Is.EqualTo((_path, "the policy file does not exist")));
    }

    [Test]
    public void Construct_BadFile_NamesItAndThePlace()
    {
        File.WriteAllText(_path, "{\n\"x\":1}");
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single();
        Assert.That((error.File, error.Line), Is.EqualTo((_path, 2)));
    }

    [Test]
    public void Construct_FolderInPlaceOfTheFile_IsATypedError()
    {
        File.Delete(_path);
        Directory.CreateDirectory(_path);
        Assert.Throws<McpGuardPolicyException>(() => Open());
    }

    [Test]
    public void Poll_ChangedFile_IsInForceAndReported()
    {
        using PolicyFileSource source = Open();
        PolicySnapshot before = source.Current;
        File.WriteAllText(_path, Two);
        Poll();
        Assert.Multiple(() =>
        {
            Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
            Assert.That(_changes.Single().Error, Is.Null);
            Assert.That(_changes.Single().Current, Is.SameAs(source.Current));
            Assert.That(before.Servers.Keys, Is.EqualTo(new[] { "one" }), "a snapshot never changes");
        });
    }

    [Test]
    public void Poll_UnchangedFile_IsNotReadAgain()
    {
        using PolicyFileSource source = Open();
        PolicySnapshot before = source.Current;
        File.SetLastWriteTimeUtc(_path, DateTime.UnixEpoch);
        Poll(times: 5);
        Assert.That((source.Current, _changes.Count), Is.EqualTo((before, 0)));
    }

    [Test]
    public void Poll_SameMeaningInOtherWords_IsNoChange()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, One + "\n\n");
        Poll();
        Assert.That(_changes, Is.Empty);
    }

    [Test]
    public void Poll_BadFile_KeepsTheLastGoodPolicyAndIsReportedOnce()
    {
        using PolicyFileSource source = Open();
        PolicySnapshot before = source.Current;
        File.WriteAllText(_path, "{\"servers\":");
        Poll(times: 5);
        Assert.Multiple(() =>
        {
            Assert.That(source.Current, Is.SameAs(before));
            Assert.That(_changes.Single().Error, Is.InstanceOf<McpGuardPolicyException>());
            Assert.That(_changes.Single().Current, Is.SameAs(before));
        });

        File.WriteAllText(_path, "{\"other fault\":1}");
        Poll();
        Assert.That(_changes, Has.Count.EqualTo(2), "another fault is another report");

        File.WriteAllText(_path, One);
        Poll();
        Assert.That(_changes[2].Error, Is.Null, "the recovery is reported though the policy means what it did");
    }

    [Test]
    public void Poll_LostFile_KeepsTheLastGoodPolicyAndIsReportedOnce()
    {
        using PolicyFileSource source = Open();
        File.Delete(_path);
        Poll(times: 5);
        Assert.That(_changes.Single().Error!.Message, Does.Contain("does not exist"));
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "one" }));
        File.WriteAllText(_path, Two);
        Poll();
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
    }

    [Test]
    public void Poll_FileReplacedByRename_IsSeen()
    {
        using PolicyFileSource source = Open();
        string next = Path.Combine(_folder, "next");
        File.WriteAllText(next, Two);
        File.Move(next, _path, overwrite: true);
        Poll();
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
    }

    [Test]
    public void Poll_FileBehindALinkThatMoves_IsSeen()
    {
        // As orchestrators mount configuration: the file is a link through a folder that is exchanged as a whole.
        Directory.CreateDirectory(Path.Combine(_folder, "v1"));
        Directory.CreateDirectory(Path.Combine(_folder, "v2"));
        File.WriteAllText(Path.Combine(_folder, "v1", "p.json"), One);
        File.WriteAllText(Path.Combine(_folder, "v2", "p.json"), Two);
        string data = Path.Combine(_folder, "data");
        Directory.CreateSymbolicLink(data, "v1");
        _path = Path.Combine(data, "p.json");
        using PolicyFileSource source = Open();
        Directory.Delete(data);
        Directory.CreateSymbolicLink(data, "v2");
        Poll();
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
    }

    [Test]
    public void Poll_PolicyThatTheHostCannotUse_IsRefusedLikeABadOne()
    {
        using PolicyFileSource source = Open(new PolicyFileOptions { Objection = policy => policy.Servers.ContainsKey("two") ? "no consent provider is there" : null });
        File.WriteAllText(_path, Two);
        Poll();
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "one" }));
        Assert.That(_changes.Single().Error!.Message, Does.Contain("no consent provider is there"));
    }

    [Test]
    public void Poll_RootNowExposesThePolicy_IsRefused()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, PolicyTexts.Server("\"roots\":[\".\"]"));
        Poll();
        Assert.That(_changes.Single().Error!.Message, Does.Contain("the policy file").And.Contain(_path));
    }

    [Test]
    public void OnChange_ListenerThatThrows_HidesNothingFromOthers()
    {
        using PolicyFileSource source = Open();
        int after = 0;
        source.OnChange(_ => throw new InvalidOperationException("listener"));
        using IDisposable second = source.OnChange(_ => after++);
        File.WriteAllText(_path, Two);
        Poll();
        second.Dispose();
        File.WriteAllText(_path, One);
        Poll();
        Assert.That((after, _changes.Count), Is.EqualTo((1, 2)));
    }

    [Test]
    public void Dispose_EndsTheWatch()
    {
        PolicyFileSource source = Open();
        source.Dispose();
        source.Dispose();
        File.WriteAllText(_path, Two);
        Poll();
        source.Reload();
        Assert.That((source.Current.Servers.Keys.Single(), _changes.Count), Is.EqualTo(("one", 0)));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task Notification_ChangedFile_IsReadAfterTheDebounce(CancellationToken ct)
    {
        // Polling is out of the way; the notification comes from the operating system whenever it comes, and the clock is moved until it has.
        using PolicyFileSource source = Open(new PolicyFileOptions { UseNotifications = true, PollInterval = TimeSpan.FromDays(40) });
        File.WriteAllText(_path, Two);
        while (!source.Current.Servers.ContainsKey("two"))
        {
            await Task.Delay(5, ct);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(_changes.Any(change => change.Error is null), Is.True);
    }

    [Test]
    public void Reload_ManyAtOnce_GiveOneChange()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, Two);
        Parallel.For(0, 16, _ => source.Reload());
        Assert.That(_changes, Has.Count.EqualTo(1));
    }

    [Test]
    public void Construct_FaultOfTheFile_SaysWhatToCorrect()
    {
        File.Delete(_path);
        GuardPolicyError missing = Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single();
        Assert.That(missing.ToString(), Is.EqualTo($"{_path}: the policy file does not exist. Create it, or correct the path."));

        _path = Path.Combine(_folder, "nowhere", "mcp-guard.json");
        McpGuardPolicyException folder = Assert.Throws<McpGuardPolicyException>(() => Open())!;
        Assert.That(folder.Errors.Single().Message, Is.EqualTo("the policy file does not exist"));
        Assert.That(folder.InnerException, Is.InstanceOf<DirectoryNotFoundException>());

        Directory.CreateDirectory(_path);
        Assert.That(Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single().ToString(), Is.EqualTo(
            $"{_path}: the policy file may not be read. Give the host's user the right to read it, and nobody else the right to write it."));
    }

    [Test]
    public void Poll_PolicyThatTheHostCannotUse_IsReportedWithPlaceAndFixAndOnlyOnce()
    {
        using PolicyFileSource source = Open(new PolicyFileOptions { Objection = _ => "scripted" });
        File.WriteAllText(_path, Two);
        Poll(times: 3);
        Assert.That(_changes.Single().Error!.Message, Is.EqualTo(
            $"The policy is not acceptable: {_path}: the new policy cannot be used here: scripted. Correct the policy, or restart the host."));
    }

    [Test]
    public void Poll_RecoveryIntoAnotherPolicy_ThenTheSameAgain_IsReportedOnce()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, "{");
        Poll();
        File.WriteAllText(_path, Two);
        Poll();
        File.WriteAllText(_path, Two + "\n");
        Poll();
        Assert.That(_changes.Select(change => change.Error is null), Is.EqualTo(new[] { false, true }), "what means the same is no news once the fault is over");
    }

    [Test]
    public void Poll_LostThenDeniedFile_EachIsReported()
    {
        using PolicyFileSource source = Open();
        File.Delete(_path);
        Poll(times: 2);
        Directory.CreateDirectory(_path);
        Poll(times: 2);
        Directory.Delete(_path);
        Poll(times: 2);
        Assert.That(_changes.Select(change => change.Error!.Message), Is.EqualTo(new[]
        {
            $"The policy is not acceptable: {_path}: the policy file does not exist. Create it, or correct the path.",
            $"The policy is not acceptable: {_path}: the policy file may not be read. Give the host's user the right to read it, and nobody else the right to write it.",
            $"The policy is not acceptable: {_path}: the policy file does not exist. Create it, or correct the path.",
        }));
    }

    [Test]
    public void Construct_PathThatTheSystemCannotOpen_SaysWhatItSaid()
    {
        _path = Path.Combine(_folder, new string('x', 300));
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single();
        Assert.That(error.Message, Does.StartWith("the policy file cannot be read: ").And.Length.GreaterThan(35));
        Assert.That(error.Fix, Is.EqualTo("Correct what keeps it from being read"));
    }

    [Test]
    public void Poll_FileThatOnlyNamedTheFault_ItsLossIsReportedToo()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, nameof(FileNotFoundException));
        Poll();
        File.Delete(_path);
        Poll();
        Assert.That(_changes, Has.Count.EqualTo(2), "the mark of a lost file is no content that a file can have");
    }

    [Test]
    public void Poll_FileThatAnotherProgramReads_IsReadAllTheSame()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, Two);
        using FileStream reader = File.OpenRead(_path);
        Poll();
        Assert.That(source.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
    }

    [Test]
    public void Poll_BeforeItsTime_ReadsNothing()
    {
        using PolicyFileSource source = Open();
        File.WriteAllText(_path, Two);
        _time.Advance(PolicyFileOptions.Default.PollInterval - TimeSpan.FromTicks(1));
        Assert.That(_changes, Is.Empty);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.That(_changes, Has.Count.EqualTo(1));
    }

    [Test]
    public void OnChange_SameListenerTwice_EachSubscriptionIsItsOwn()
    {
        using PolicyFileSource source = Open();
        int heard = 0;
        void Count(PolicyChange change) => heard++;
        IDisposable one = source.OnChange(Count);
        using IDisposable other = source.OnChange(Count);
        File.WriteAllText(_path, Two);
        Poll();
        Assert.That(heard, Is.EqualTo(2));
        one.Dispose();
        one.Dispose();
        File.WriteAllText(_path, One);
        Poll();
        Assert.That(heard, Is.EqualTo(3));
        Assert.That(() => source.OnChange(null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("listener"));
    }

    [Test]
    public void Construct_FileLargerThanTheBound_IsRefusedByItsSize()
    {
        using (FileStream file = File.OpenWrite(_path))
        {
            file.SetLength(PolicyParser.MaxBytes + 10);
        }

        Assert.That(Assert.Throws<McpGuardPolicyException>(() => Open())!.Errors.Single().Message, Is.EqualTo($"the policy has {PolicyParser.MaxBytes + 1} bytes"));
    }

    [Test]
    public void Current_FixedPolicy_NeverChanges()
    {
        PolicySnapshot policy = PolicyTexts.Read(One);
        var source = new StaticPolicySource(policy);
        IDisposable subscription = source.OnChange(_ => Assert.Fail("a fixed policy changes"));
        subscription.Dispose();
        Assert.That(source.Current, Is.SameAs(policy));
    }

    [Test]
    public void Current_DryRun_IsMarkedAndOtherwiseThePolicy()
    {
        using PolicyFileSource source = Open();
        var dry = new DryRunPolicySource(source);
        var heard = new List<PolicyChange>();
        using IDisposable subscription = dry.OnChange(heard.Add);
        PolicySnapshot first = dry.Current;
        Assert.That(first.Revision, Is.EqualTo("dry-run:" + source.Current.Revision));
        Assert.That(dry.Current, Is.SameAs(first), "marked once");

        File.WriteAllText(_path, Two);
        Poll();
        File.WriteAllText(_path, "{");
        Poll();
        Assert.Multiple(() =>
        {
            Assert.That(dry.Current.Revision, Is.EqualTo("dry-run:" + source.Current.Revision).And.Not.EqualTo(first.Revision));
            Assert.That(dry.Current.Servers.Keys, Is.EqualTo(new[] { "two" }));
            Assert.That(heard.Select(change => change.Error is null), Is.EqualTo(new[] { true, false }));
            Assert.That(heard.Select(change => change.Current), Is.All.SameAs(dry.Current));
            Assert.That(heard[1].Error, Is.SameAs(_changes[1].Error));
        });
    }

    private PolicyFileSource Open(PolicyFileOptions? options = null)
    {
        options ??= new PolicyFileOptions();
        options = options with { UseNotifications = options.UseNotifications && options.PollInterval > TimeSpan.FromDays(1), Read = PolicyTexts.Options };
        var source = new PolicyFileSource(_path, FakeSchemas.Instance, _time, options);
        source.OnChange(change =>
        {
            lock (_changes)
            {
                _changes.Add(change);
            }
        });
        return source;
    }

    private void Poll(int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            _time.Advance(PolicyFileOptions.Default.PollInterval);
        }
    }
}
