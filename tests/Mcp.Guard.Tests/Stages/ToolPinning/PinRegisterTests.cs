using System.Text;
using System.Text.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.ToolPinning;
using Mcp.Guard.Tests.Policy;
using Microsoft.Extensions.Time.Testing;

namespace Mcp.Guard.Tests.Stages.ToolPinning;

/// <summary>What is remembered of a server, how a definition compares with it, and what happens where others write at the same time.</summary>
[TestFixture]
internal sealed class PinRegisterTests
{
    private const string Echo = """{"name":"echo"}""";

    private static readonly McpServerIdentity Server = new("files", "npx server");
    private static readonly ServerSettings Settings = PolicyTexts.Read(PolicyTexts.Server(string.Empty)).Servers["s"];
    private static readonly string A = new('a', 64);
    private static readonly string B = new('b', 64);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private FailingStore _store = null!;
    private PinRegister _pins = null!;

    [SetUp]
    public void Make()
    {
        _store = new FailingStore();
        _pins = new PinRegister(_store, _time);
    }

    [Test]
    public async Task Compare_StoredPins_TellEveryState()
    {
        await _pins.ApproveAsync(Server, "echo", A, Echo, default);
        await _pins.RefuseAsync(Server, "late", B, default);
        PinnedCatalog pins = await _pins.ReadAsync(Server, default);
        Assert.Multiple(() =>
        {
            Assert.That(PinRegister.Compare(pins, "echo", A), Is.EqualTo(new ToolPinComparison(ToolPinState.Pinned, pins.Tools["echo"])));
            Assert.That(PinRegister.Compare(pins, "echo", B), Is.EqualTo(new ToolPinComparison(ToolPinState.Changed, pins.Tools["echo"])));
            Assert.That(PinRegister.Compare(pins, "late", B), Is.EqualTo(new ToolPinComparison(ToolPinState.Refused, null)));
            Assert.That(PinRegister.Compare(pins, "late", A), Is.EqualTo(new ToolPinComparison(ToolPinState.New, null)), "another definition was not refused");
            Assert.That(PinRegister.Compare(pins, "other", A).State, Is.EqualTo(ToolPinState.New));
            Assert.That(PinRegister.Compare(pins, "Echo", A).State, Is.EqualTo(ToolPinState.New), "names are compared exactly");
            foreach (PinnedCatalogStatus status in new[] { PinnedCatalogStatus.FirstSight, PinnedCatalogStatus.Unavailable })
            {
                Assert.That(PinRegister.Compare(new PinnedCatalog { Status = status, Tools = pins.Tools }, "echo", A).State, Is.EqualTo(ToolPinState.Unavailable));
            }
        });
    }

    [Test]
    public void Compare_PinsOfThePolicy_TrustNoFirstSight()
    {
        ServerSettings settings = PolicyTexts.Read(PolicyTexts.Server($"\"pins\":{{\"echo\":\"{A}\"}}")).Servers["s"];
        Assert.That(PinRegister.Compare(settings, "echo", A), Is.EqualTo(new ToolPinComparison(ToolPinState.Pinned, null)));
        Assert.That(PinRegister.Compare(settings, "echo", B), Is.EqualTo(new ToolPinComparison(ToolPinState.Changed, null)));
        Assert.That(PinRegister.Compare(settings, "other", A), Is.EqualTo(new ToolPinComparison(ToolPinState.New, null)));
    }

    [Test]
    public async Task ApproveAsync_RefusedBefore_TheRefusalIsGone()
    {
        await _pins.RefuseAsync(Server, "echo", A, default);
        Assert.That(await _pins.ApproveAsync(Server, "echo", A, Echo, default), Is.True);
        PinnedCatalog pins = await _pins.ReadAsync(Server, default);
        Assert.That(PinRegister.Compare(pins, "echo", A).State, Is.EqualTo(ToolPinState.Pinned));
        Assert.That(Parts(pins.Tools.Values.Single()), Is.EqualTo(("echo", A, Echo, true, _time.GetUtcNow())));
        Assert.That((pins.ToolsSeen, pins.Version), Is.EqualTo((true, 2L)));
        await _pins.RefuseAsync(Server, "echo", B, default);
        Assert.That((await _pins.ReadAsync(Server, default)).Tools, Has.Count.EqualTo(2), "what was approved stays approved");
    }

    [Test]
    public async Task TryPinFirstSightAsync_List_IsPinnedAndWhatWasPinnedStays()
    {
        await _pins.AreInstructionsKnownAsync(Server, Settings, "Use echo.", default);
        PinnedCatalog before = await _pins.ReadAsync(Server, default);
        using JsonDocument definition = JsonDocument.Parse("""{ "b":1, "name":"echo" }""");
        Assert.That(await _pins.TryPinFirstSightAsync(Server, before, [new ListedTool(definition.RootElement, "echo", A), new ListedTool(definition.RootElement, "echo", B)], default), Is.True);
        PinnedCatalog after = await _pins.ReadAsync(Server, default);
        Assert.Multiple(() =>
        {
            Assert.That((before.ToolsSeen, after.ToolsSeen, after.Status), Is.EqualTo((false, true, PinnedCatalogStatus.Known)));
            Assert.That(after.InstructionsFingerprint, Is.EqualTo(ToolFingerprint.OfInstructions("Use echo.")));
            Assert.That(Parts(after.Tools["echo"]), Is.EqualTo(("echo", A, """{"b":1,"name":"echo"}""", false, _time.GetUtcNow())), "the first of two");
            Assert.That(after.Tools[PinRegister.InstructionsKey], Is.EqualTo(before.Tools[PinRegister.InstructionsKey]));
        });
        Assert.That(await _pins.TryPinFirstSightAsync(Server, before, [], default), Is.False, "another host was first");
    }

    [Test]
    public async Task AreInstructionsKnownAsync_Known_OnlyTheSameOrNone()
    {
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, "Use echo.", default), Is.True, "first sight");
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, "Use echo.", default), Is.True);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, "Use echo!", default), Is.False);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, string.Empty, default), Is.False);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, null, default), Is.True, "absent ones show nothing");
        ToolPin pin = (await _pins.ReadAsync(Server, default)).Tools[PinRegister.InstructionsKey];
        Assert.That((pin.Definition, pin.IsApproved), Is.EqualTo(("\"Use echo.\"", false)));
    }

    [Test]
    public async Task AreInstructionsKnownAsync_FirstSightWithoutAny_LaterOnesAreAChange()
    {
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, null, default), Is.True);
        PinnedCatalog pins = await _pins.ReadAsync(Server, default);
        Assert.That((pins.InstructionsFingerprint, pins.Tools.Count, pins.ToolsSeen), Is.EqualTo((null as string, 0, false)));
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, "x", default), Is.False);
    }

    [Test]
    public async Task AreInstructionsKnownAsync_PinsOfThePolicy_Decide()
    {
        ServerSettings with = PolicyTexts.Read(PolicyTexts.Server($"\"pins\":{{\"#instructions\":\"{ToolFingerprint.OfInstructions("x")}\"}}")).Servers["s"];
        ServerSettings without = PolicyTexts.Read(PolicyTexts.Server($"\"pins\":{{\"echo\":\"{A}\"}}")).Servers["s"];
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, with, "x", default), Is.True);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, with, "y", default), Is.False);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, without, "x", default), Is.False);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, without, null, default), Is.True);
        Assert.That((await _pins.ReadAsync(Server, default)).Status, Is.EqualTo(PinnedCatalogStatus.FirstSight), "the store is not asked");
    }

    [Test]
    public async Task AreInstructionsKnownAsync_PinsOutOfReach_OnlyNoneAreKnown()
    {
        _store.IsLost = true;
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, "x", default), Is.False);
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, null, default), Is.True);
        Assert.That(_store.Writes, Is.Zero);
    }

    [TestCase(64 * 1024, true)]
    [TestCase((64 * 1024) + 1, false)]
    public async Task ApproveInstructionsAsync_LongText_IsKeptUpToItsBound(int length, bool kept)
    {
        await _pins.AreInstructionsKnownAsync(Server, Settings, "before", default);
        string text = new('x', length);
        Assert.That(await _pins.ApproveInstructionsAsync(Server, text, default), Is.True);
        PinnedCatalog pins = await _pins.ReadAsync(Server, default);
        Assert.That(pins.InstructionsFingerprint, Is.EqualTo(ToolFingerprint.OfInstructions(text)));
        Assert.That(pins.Tools.TryGetValue(PinRegister.InstructionsKey, out ToolPin? pin), Is.EqualTo(kept), "the old text is not shown in its place");
        Assert.That(pin?.IsApproved, Is.EqualTo(kept ? true : null));
        Assert.That(await _pins.AreInstructionsKnownAsync(Server, Settings, text, default), Is.True);
    }

    [Test]
    public async Task ApproveInstructionsAsync_PinsLost_TheToolsAreNoFirstSight()
    {
        _store.IsLost = true;
        Assert.That(await _pins.ApproveInstructionsAsync(Server, "x", default), Is.True);
        _store.IsLost = false;
        Assert.That((await _pins.ReadAsync(Server, default)).ToolsSeen, Is.True);

        var fresh = new PinRegister(new FailingStore(), _time);
        await fresh.ApproveInstructionsAsync(Server, "x", default);
        Assert.That((await fresh.ReadAsync(Server, default)).ToolsSeen, Is.False);
        await fresh.ApproveAsync(Server, "echo", A, null, default);
        await fresh.ApproveInstructionsAsync(Server, "y", default);
        Assert.That((await fresh.ReadAsync(Server, default)).ToolsSeen, Is.True);
    }

    [TestCase(4, true)]
    [TestCase(5, false)]
    public async Task ChangeOfPins_OthersKeepWriting_IsTriedFiveTimes(int failures, bool written)
    {
        async Task CheckAsync(Func<ValueTask<bool>> change)
        {
            _store.Failures = failures;
            _store.Writes = 0;
            Assert.That(await change(), Is.EqualTo(written));
            Assert.That(_store.Writes, Is.EqualTo(5));
        }

        await CheckAsync(() => _pins.AreInstructionsKnownAsync(Server, Settings, "x", default));
        await CheckAsync(() => _pins.ApproveAsync(Server, "echo", A, null, default));
        await CheckAsync(() => _pins.RefuseAsync(Server, "echo", A, default));
        await CheckAsync(() => _pins.ApproveInstructionsAsync(Server, "x", default));
    }

    [Test]
    public void Next_MoreToolsThanAreKept_IsRefused()
    {
        PinnedCatalog Of(int count) => new() { Tools = Enumerable.Range(0, count).ToDictionary(i => $"t{i}", i => new ToolPin { Tool = $"t{i}", Fingerprint = A, PinnedAt = DateTimeOffset.UnixEpoch }) };
        Assert.That(PinSnapshot.Next(Of(PinSnapshot.MaxTools)).Tools, Has.Count.EqualTo(4_002));
        Assert.That(() => PinSnapshot.Next(Of(PinSnapshot.MaxTools + 1)), Throws.ArgumentException.With.Message.StartsWith("A server has at most 4002 pins; this one has 4003.").And.Property("ParamName").EqualTo("pins"));
    }

    // A field that is missing or of another type makes the whole file unusable: half of it is not what was approved.
    [TestCase("", true)]
    [TestCase("complete", false)]
    [TestCase("servers", false)]
    [TestCase("server", false)]
    [TestCase("version", false)]
    [TestCase("toolsSeen", false)]
    [TestCase("tools", false)]
    [TestCase("tool", false)]
    [TestCase("fingerprint", false)]
    [TestCase("approved", false)]
    [TestCase("pinned", false)]
    [TestCase("definition", true)]
    [TestCase("instructions", true)]
    public void Read_FileWithoutAField_IsNoFile(string field, bool usable)
    {
        foreach (string other in new[] { "x", "null", "[1]" })
        {
            string text = Written().Replace($"\"{field}\":", other == "x" ? $"\"{field}x\":" : $"\"{field}\":{other},\"{field}x\":", StringComparison.Ordinal);
            using JsonDocument document = JsonDocument.Parse(text);
            Assert.That(PinFileContent.Read(document.RootElement) is not null, Is.EqualTo(usable), text);
        }
    }

    [TestCase("[]")]
    [TestCase("""{"complete":true,"servers":{}}""")]
    [TestCase("""{"complete":true,"servers":[1]}""")]
    [TestCase("""{"complete":true,"servers":[{"server":"a","version":1,"toolsSeen":true,"tools":[1]}]}""")]
    [TestCase("""{"complete":true,"servers":[{"server":"a","version":1,"toolsSeen":true,"tools":{}}]}""")]
    [TestCase("""{"complete":true,"servers":[{"server":"a","version":1,"toolsSeen":true,"tools":[]},{"server":"a","version":1,"toolsSeen":true,"tools":[]}]}""")]
    public void Read_FileOfAnotherShape_IsNoFile(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        Assert.That(PinFileContent.Read(document.RootElement), Is.Null);
    }

    [Test]
    public void Read_ToolTwice_IsNoFile()
    {
        string text = Written();
        int start = text.IndexOf("{\"tool\"", StringComparison.Ordinal);
        string tool = text[start..(text.IndexOf("},{\"tool\":\"bare\"", StringComparison.Ordinal) + 1)];
        using JsonDocument document = JsonDocument.Parse(text.Replace(tool, tool + "," + tool, StringComparison.Ordinal));
        Assert.That(PinFileContent.Read(document.RootElement), Is.Null);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Read_WrittenFile_IsWhatWasWritten(bool complete)
    {
        using JsonDocument document = JsonDocument.Parse(Written(complete));
        PinFileContent read = PinFileContent.Read(document.RootElement)!;
        PinnedCatalog files = read.Of(Server);
        Assert.Multiple(() =>
        {
            Assert.That((read.IsSound, read.IsComplete), Is.EqualTo((true, complete)));
            Assert.That((files.Status, files.Version, files.InstructionsFingerprint, files.ToolsSeen), Is.EqualTo((PinnedCatalogStatus.Known, 7L, B, true)));
            Assert.That(Parts(files.Tools["echo"]), Is.EqualTo(("echo", A, Echo, true, _time.GetUtcNow())));
            Assert.That(Parts(files.Tools["bare"]), Is.EqualTo(("bare", B, null as string, false, DateTimeOffset.UnixEpoch)));
            Assert.That(read.Of(new McpServerIdentity("other", "x")).Status, Is.EqualTo(complete ? PinnedCatalogStatus.FirstSight : PinnedCatalogStatus.Unavailable));
            Assert.That(new PinFileContent().Of(Server).Status, Is.EqualTo(PinnedCatalogStatus.Unavailable), "by default nothing is known to be complete");
        });
    }

    private static (string, string, string?, bool, DateTimeOffset) Parts(ToolPin pin) => (pin.Tool, pin.Fingerprint, pin.Definition, pin.IsApproved, pin.PinnedAt);

    private string Written(bool complete = true)
    {
        var content = new PinFileContent { IsSound = true, IsComplete = complete };
        content.Servers[Server.ToString()] = new PinnedCatalog
        {
            Status = PinnedCatalogStatus.Known,
            Version = 7,
            InstructionsFingerprint = B,
            ToolsSeen = true,
            Tools = new Dictionary<string, ToolPin>
            {
                ["echo"] = new() { Tool = "echo", Fingerprint = A, Definition = Echo, IsApproved = true, PinnedAt = _time.GetUtcNow() },
                ["bare"] = new() { Tool = "bare", Fingerprint = B, PinnedAt = DateTimeOffset.UnixEpoch },
            },
        };
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            content.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>A store that loses races a number of times, and can lose what it knew.</summary>
    private sealed class FailingStore : IPinStore
    {
        private readonly InMemoryPinStore _inner = new();

        public bool IsLost { get; set; }

        public int Failures { get; set; }

        public int Writes { get; set; }

        public async ValueTask<PinnedCatalog> ReadAsync(McpServerIdentity server, CancellationToken ct) =>
            IsLost ? new PinnedCatalog { Status = PinnedCatalogStatus.Unavailable } : await _inner.ReadAsync(server, ct);

        public ValueTask<bool> TryWriteAsync(McpServerIdentity server, PinnedCatalog pins, CancellationToken ct)
        {
            Writes++;
            return Failures-- > 0 ? new(false) : _inner.TryWriteAsync(server, pins, ct);
        }
    }
}
