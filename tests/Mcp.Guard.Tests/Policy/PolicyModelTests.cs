using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>How settings of several places become one: a rule can only tighten another, and a server says for itself what the defaults say for all.</summary>
[TestFixture]
internal sealed class PolicyModelTests
{
    private static readonly Gen<ResultOverrides> Overrides =
        from numbers in Gen.Choose(0, 3).ArrayOf(4)
        from words in Gen.Choose(0, 3).ArrayOf(4)
        from redact in Gen.Elements<bool?>(null, true, false)
        from hosts in Gen.Elements(null, Set(), Set("a"), Set("a", "b"), Set("b"))
        from types in Gen.Elements(null, Set(), Set("image/png"), Set("image/png", "audio/wav"))
        from flags in Gen.Elements(null, Flags(), Flags((ContentFindings.Bidi, FlagAction.Report)), Flags((ContentFindings.Bidi, FlagAction.Deny), (ContentFindings.Control, FlagAction.Ask)))
        select new ResultOverrides
        {
            MaxBytes = numbers[0] == 0 ? null : numbers[0],
            MaxItems = numbers[1] == 0 ? null : numbers[1],
            MaxDepth = numbers[2] == 0 ? null : numbers[2],
            MediaMaxBytes = numbers[3] == 0 ? null : numbers[3],
            Overflow = words[0] == 0 ? null : (ResultOverflow)(words[0] % 2),
            RemoteReferences = words[1] == 0 ? null : (RemoteReferences)(words[1] - 1),
            LinksWithQuery = words[2] == 0 ? null : (RemoteReferences)(words[2] - 1),
            Framing = words[3] == 0 ? null : (ResultFraming)(words[3] - 1),
            Redact = redact,
            AllowedHosts = hosts,
            MediaTypes = types,
            Flags = flags,
        };

    [Test]
    public void Stricter_TwoRules_IsTheStricterOfEachWhicheverComesFirst() =>
        Prop.ForAll(Overrides.ToArbitrary(), Overrides.ToArbitrary(), (one, other) =>
        {
            ResultOverrides both = one.Stricter(other);
            return Same(both, other.Stricter(one))
                && both.MaxBytes == Least(one.MaxBytes, other.MaxBytes) && both.MaxItems == Least(one.MaxItems, other.MaxItems) && both.MaxDepth == Least(one.MaxDepth, other.MaxDepth)
                && both.MediaMaxBytes == Least(one.MediaMaxBytes, other.MediaMaxBytes)
                && both.Overflow == Worst([one.Overflow, other.Overflow], word => -(int)word)
                && both.RemoteReferences == Worst([one.RemoteReferences, other.RemoteReferences], word => (int)word)
                && both.LinksWithQuery == Worst([one.LinksWithQuery, other.LinksWithQuery], word => (int)word)
                && both.Framing == Worst([one.Framing, other.Framing], word => (int)word)
                && both.Redact == Worst([one.Redact, other.Redact], word => word ? 1 : 0)
                && SameSet(both.AllowedHosts, one.AllowedHosts is null ? other.AllowedHosts : other.AllowedHosts is null ? one.AllowedHosts : Set([.. one.AllowedHosts.Intersect(other.AllowedHosts)]))
                && SameSet(both.MediaTypes, one.MediaTypes is null ? other.MediaTypes : other.MediaTypes is null ? one.MediaTypes : Set([.. one.MediaTypes.Intersect(other.MediaTypes)]))
                && Enum.GetValues<ContentFindings>().All(finding => ActionOf(both.Flags, finding) == Worst([ActionOf(one.Flags, finding), ActionOf(other.Flags, finding)], word => (int)word))
                && both.Flags is null == (one.Flags is null && other.Flags is null);
        }).Check(Properties.Config());

    [Test]
    public void Over_Settings_OnlyWhatIsSaidChanges() =>
        Prop.ForAll(Overrides.ToArbitrary(), said =>
        {
            ResultSettings basis = ResultSettings.Recommended with
            {
                MaxBytes = 99,
                MaxItems = 98,
                MaxDepth = 97,
                MediaMaxBytes = 96,
                Overflow = ResultOverflow.Cut,
                RemoteReferences = RemoteReferences.Remove,
                LinksWithQuery = RemoteReferences.Defang,
                Framing = ResultFraming.Envelope,
                Redact = true,
                AllowedHosts = Set("basis"),
                MediaTypes = Set("audio/mpeg"),
                Flags = Flags((ContentFindings.Bidi, FlagAction.Ask), (ContentFindings.Terminal, FlagAction.Deny)),
            };
            ResultSettings result = said.Over(basis);
            return result.MaxBytes == (said.MaxBytes ?? 99) && result.MaxItems == (said.MaxItems ?? 98) && result.MaxDepth == (said.MaxDepth ?? 97) && result.MediaMaxBytes == (said.MediaMaxBytes ?? 96)
                && result.Overflow == (said.Overflow ?? ResultOverflow.Cut) && result.RemoteReferences == (said.RemoteReferences ?? RemoteReferences.Remove)
                && result.LinksWithQuery == (said.LinksWithQuery ?? RemoteReferences.Defang) && result.Framing == (said.Framing ?? ResultFraming.Envelope) && result.Redact == (said.Redact ?? true)
                && SameSet(result.AllowedHosts, said.AllowedHosts ?? Set("basis")) && SameSet(result.MediaTypes, said.MediaTypes ?? Set("audio/mpeg"))
                && Enum.GetValues<ContentFindings>().All(finding => ActionOf(result.Flags, finding) == (ActionOf(said.Flags, finding) ?? ActionOf(basis.Flags, finding)));
        }).Check(Properties.Config());

    [Test]
    public void Stricter_Paths_JudgesMoreAndSparesLess()
    {
        var one = new PathSettings { Arguments = ["/b", "/a"], Content = ["/x", "/y"], Detection = PathDetection.Auto, Rewrite = true, Access = RootAccess.ReadWrite };
        var other = new PathSettings { Arguments = ["/a", "/c"], Content = ["/y", "/z"], Detection = PathDetection.Declared, Rewrite = false, Access = RootAccess.Read };
        Assert.Multiple(() =>
        {
            foreach (PathSettings both in (PathSettings[])[one.Stricter(other), other.Stricter(one)])
            {
                Assert.That(both.Arguments, Is.EqualTo(new[] { "/a", "/b", "/c" }));
                Assert.That(both.Content, Is.EqualTo(new[] { "/y" }), "what only one of two rules calls content is judged");
                Assert.That(both.Rewrite, Is.True);
                Assert.That(both.Detection, Is.EqualTo(one.Detection > other.Detection ? one.Detection : other.Detection));
                Assert.That(both.Access, Is.EqualTo(one.Access > other.Access ? one.Access : other.Access));
            }

            Assert.That(other.Stricter(other).Rewrite, Is.False);
        });
    }

    [Test]
    public void Stricter_Urls_EveryListHolds()
    {
        var one = new UrlSettings([new(["https://a.example"], [])]);
        var other = new UrlSettings([new(["https://b.example"], ["/url"])]);
        Assert.That(one.Stricter(other).Lists, Is.EqualTo(one.Lists.Concat(other.Lists)));
    }

    [Test]
    public void Describe_Endpoint_IsWhatAPersonWouldWrite() => Assert.Multiple(() =>
    {
        Assert.That(new CommandEndpoint { Command = "/usr/bin/node" }.Describe(), Is.EqualTo("/usr/bin/node"));
        Assert.That(new CommandEndpoint { Command = "node", Arguments = ["x.js", "", "a b", "q\"\\", "t\tn\nr\r"] }.Describe(), Is.EqualTo("node x.js \"\" \"a b\" \"q\\\"\\\\\" \"t\tn\nr\r\""));
        Assert.That(new CommandEndpoint { Command = "a b" }.Describe(), Is.EqualTo("\"a b\""));
        Assert.That(new CommandEndpoint { Command = "C:\\x" }.Describe(), Is.EqualTo("\"C:\\\\x\""));
        Assert.That(new CommandEndpoint { Command = "npm:a@1.0.0", Arguments = ["b"] }.Describe(), Is.EqualTo("\"npm:a@1.0.0\" b"));
        Assert.That(new CommandEndpoint { Command = "host-provided" }.Describe(), Is.EqualTo("\"host-provided\""));
        Assert.That(new HostProvidedEndpoint().Describe(), Is.EqualTo("host-provided"));
        Assert.That(new UrlEndpoint { Url = "https://a.example/mcp" }.Describe(), Is.EqualTo("https://a.example/mcp"));
        Assert.That(new PackageEndpoint { Kind = PackageKind.Npm, Name = "@a/b", Version = "1.0.0", Arguments = ["c d"] }.Describe(), Is.EqualTo("npm:@a/b@1.0.0 \"c d\""));
        Assert.That(new PackageEndpoint { Kind = PackageKind.Dotnet, Name = "A.B", Version = "1.0.0", Executable = "run" }.Describe(), Is.EqualTo("dotnet:A.B@1.0.0#run"));
    });

    [TestCase(null, "name", false, "secret name")]
    [TestCase(null, null, true, "from the host")]
    [TestCase("hunter2", null, false, "literal")]
    public void ToString_Value_SaysOnlyItsKind(string? literal, string? secret, bool fromHost, string expected) =>
        Assert.That(new PolicyValue(literal, secret, fromHost).ToString(), Is.EqualTo(expected));

    [Test]
    public void Construct_Settings_HaveTheDefaultsOfTheDocuments() => Assert.Multiple(() =>
    {
        Assert.That(PolicyDefaults.Recommended.RateLimit, Is.EqualTo(new RateLimitSetting("default", 3, TimeSpan.FromSeconds(1), 3, RateLimitScope.Caller)));
        Assert.That(new SamplingSettings(), Is.EqualTo(new SamplingSettings { Allowed = false, MaxPromptTokens = null, MaxTokens = 1024, MaxDepth = 1, Confirm = true, AllowContext = false, RateLimit = null }));
        Assert.That((new ElicitationSettings().Form, new ElicitationSettings().Url, new ElicitationSettings().MaxFields), Is.EqualTo((true, false, 20)));
        Assert.That(new BudgetSettings(), Is.EqualTo(new BudgetSettings { Calls = null, CallsPerTool = null, Repeats = 10, RepeatWindow = TimeSpan.FromMinutes(1) }));
        Assert.That(new PathSettings().Access, Is.EqualTo(RootAccess.ReadWrite));
        Assert.That((ResultSettings.Recommended.MaxBytes, ResultSettings.Recommended.MediaMaxBytes), Is.EqualTo((4_194_304L, 16_777_216L)));
        Assert.That(PolicyFileOptions.Default, Is.EqualTo(new PolicyFileOptions { Debounce = TimeSpan.FromMilliseconds(250), PollInterval = TimeSpan.FromSeconds(5), UseNotifications = true }));
    });

    private static long? Least(long? one, long? other) => one is null || other < one ? other : one;

    private static T? Worst<T>(T?[] words, Func<T, int> weight)
        where T : struct => words.Where(word => word is not null).OrderByDescending(word => weight(word!.Value)).FirstOrDefault();

    private static FlagAction? ActionOf(FrozenDictionary<ContentFindings, FlagAction>? flags, ContentFindings finding) =>
        flags is not null && flags.TryGetValue(finding, out FlagAction action) ? action : null;

    private static bool Same(ResultOverrides one, ResultOverrides other) =>
        one with { AllowedHosts = null, MediaTypes = null, Flags = null } == other with { AllowedHosts = null, MediaTypes = null, Flags = null }
        && SameSet(one.AllowedHosts, other.AllowedHosts) && SameSet(one.MediaTypes, other.MediaTypes)
        && Enum.GetValues<ContentFindings>().All(finding => ActionOf(one.Flags, finding) == ActionOf(other.Flags, finding));

    private static bool SameSet(FrozenSet<string>? one, FrozenSet<string>? other) => one is null ? other is null : other is not null && one.SetEquals(other);

    private static FrozenSet<string> Set(params string[] texts) => texts.ToFrozenSet(StringComparer.Ordinal);

    private static FrozenDictionary<ContentFindings, FlagAction> Flags(params (ContentFindings Finding, FlagAction Action)[] flags) => flags.ToFrozenDictionary(flag => flag.Finding, flag => flag.Action);
}
