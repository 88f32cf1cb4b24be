using System.Text.Json.Nodes;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

[TestFixture]
internal sealed class PolicyRevisionTests
{
    private static readonly string Full = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json"));

    [Test]
    public void Revision_ShuffledKeysAndWhiteSpace_IsTheSame()
    {
        string revision = PolicyTexts.Read(Full).Revision;
        Assert.That(revision, Has.Length.EqualTo(64).And.Matches("^[0-9a-f]*$"));
        for (int seed = 0; seed < 50; seed++)
        {
            JsonNode shuffled = Shuffle(JsonNode.Parse(Full)!, new Random(seed));
            Assert.That(PolicyTexts.Read(shuffled.ToJsonString(seed % 2 == 0 ? null : new System.Text.Json.JsonSerializerOptions { WriteIndented = true })).Revision, Is.EqualTo(revision));
        }
    }

    [TestCase("{}", """{"description":"x"}""")]
    [TestCase("{}", """{"$schema":"x"}""")]
    [TestCase("{}", """{"servers":{}}""")]
    [TestCase("{}", """{"defaults":{"toolTimeout":"30s"}}""")]
    [TestCase("{}", """{"defaults":{"toolTimeout":"30000ms"}}""")]
    [TestCase("{}", """{"defaults":{"results":{"maxBytes":"4MiB"}}}""")]
    [TestCase("{}", """{"defaults":{"rateLimit":{"permits":3,"per":"1s","burst":3,"by":["caller"]}}}""")]
    [TestCase("""{"defaults":{"results":{"maxBytes":1024}}}""", """{"defaults":{"results":{"maxBytes":"1KiB"}}}""")]
    [TestCase("""{"audit":{"directory":"/srv/x/../audit/"}}""", """{"audit":{"directory":"/srv/audit"}}""")]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x","y"],"effect":"ask"}}}}}""", """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["y","x"],"effect":"ask","description":"d"}}}}}""")]
    [TestCase("""{"servers":{"s":{"url":"https://a.example","headers":{"X-A":"1"}}}}""", """{"servers":{"s":{"url":"https://a.example","headers":{"x-a":"1"}}}}""")]
    public void Revision_SameMeaning_IsTheSame(string a, string b) => Assert.That(PolicyTexts.Read(a).Revision, Is.EqualTo(PolicyTexts.Read(b).Revision));

    [Test]
    public void Revision_AnyOtherMeaning_Differs()
    {
        string[] variants =
        [
            "{}",
            """{"stateDirectory":"/srv/state"}""",
            """{"audit":{"directory":"/srv/audit"}}""",
            """{"audit":{"retentionDays":29}}""",
            """{"audit":{"key":{"secret":"a"}}}""",
            """{"defaults":{"confirmation":"always"}}""",
            """{"defaults":{"rateLimit":{"permits":3,"per":"2s"}}}""",
            """{"defaults":{"rateLimit":{"permits":3,"per":"1s","by":[]}}}""",
            """{"defaults":{"budgets":{"calls":0}}}""",
            """{"defaults":{"results":{"flags":{"bidi":"ask"}}}}""",
            """{"servers":{"s":{"hostProvided":true}}}""",
            """{"servers":{"t":{"hostProvided":true}}}""",
            """{"servers":{"s":{"command":"node"}}}""",
            """{"servers":{"s":{"command":"node","arguments":[""]}}}""",
            """{"servers":{"s":{"command":"node","arguments":["a b"]}}}""",
            """{"servers":{"s":{"command":"node","arguments":["a","b"]}}}""",
            """{"servers":{"s":{"command":"node","arguments":["b","a"]}}}""",
            """{"servers":{"s":{"command":"node","environment":{"A":"b"}}}}""",
            """{"servers":{"s":{"command":"node","environment":{"A":{"secret":"b"}}}}}""",
            """{"servers":{"s":{"command":"node","isolation":{"mode":"none"}}}}""",
            """{"servers":{"s":{"command":"node","isolation":{"mode":"bubblewrap"}}}}""",
            """{"servers":{"s":{"hostProvided":true,"roots":["/srv/a","/srv/b"]}}}""",
            """{"servers":{"s":{"hostProvided":true,"roots":["/srv/b","/srv/a"]}}}""",
            """{"servers":{"s":{"hostProvided":true,"roots":[{"path":"/srv/b","access":"read"},"/srv/a"]}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask"}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"prompts":["x"],"effect":"ask"}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"b":{"tools":["x"],"effect":"ask"}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","when":true}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","require":true}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","destructive":false}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","paths":["/a"]}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","urls":[]}}}}}""",
            """{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["x"],"effect":"ask","results":{"redact":false}}}}}}""",
        ];
        Assert.That(variants.Select(variant => PolicyTexts.Read(variant).Revision), Is.Unique);
    }

    [Test]
    public void Revision_OfAServer_ChangesOnlyWithItAndTheDefaults()
    {
        const string Base = """{"servers":{"a":{"hostProvided":true},"b":{"hostProvided":true}}}""";
        PolicySnapshot one = PolicyTexts.Read(Base);
        PolicySnapshot other = PolicyTexts.Read(Base.Replace("\"b\":{", "\"b\":{\"trusted\":true,", StringComparison.Ordinal));
        PolicySnapshot defaults = PolicyTexts.Read(Base.Replace("{\"servers\"", "{\"defaults\":{\"requireCaller\":true},\"servers\"", StringComparison.Ordinal));
        Assert.Multiple(() =>
        {
            Assert.That(other.Servers["a"].Revision, Is.EqualTo(one.Servers["a"].Revision));
            Assert.That(other.Servers["b"].Revision, Is.Not.EqualTo(one.Servers["b"].Revision));
            Assert.That(other.Revision, Is.Not.EqualTo(one.Revision));
            Assert.That(defaults.Servers["a"].Revision, Is.Not.EqualTo(one.Servers["a"].Revision));
        });
    }

    [Test]
    public void Describe_DifferentEndpoints_NeverReadTheSame()
    {
        ServerEndpoint[] endpoints =
        [
            new CommandEndpoint { Command = "a b" },
            new CommandEndpoint { Command = "a", Arguments = ["b"] },
            new CommandEndpoint { Command = "a", Arguments = ["b", ""] },
            new CommandEndpoint { Command = "a", Arguments = ["b "] },
            new CommandEndpoint { Command = "a", Arguments = ["\"b\""] },
            new CommandEndpoint { Command = "a", Arguments = ["\\\"b\\\""] },
            new CommandEndpoint { Command = "npm:a@1.0.0" },
            new PackageEndpoint { Kind = PackageKind.Npm, Name = "a", Version = "1.0.0" },
            new PackageEndpoint { Kind = PackageKind.Dotnet, Name = "a", Version = "1.0.0" },
            new PackageEndpoint { Kind = PackageKind.Npm, Name = "a", Version = "1.0.0", Executable = "b" },
            new CommandEndpoint { Command = "host-provided" },
            new HostProvidedEndpoint(),
            new CommandEndpoint { Command = "https://a.example" },
            new UrlEndpoint { Url = "https://a.example" },
        ];
        Assert.That(endpoints.Select(endpoint => endpoint.Describe()), Is.Unique);
    }

    [TestCase("""{"servers":{}}""", false)]
    [TestCase("""{"servers":{"s":{"hostProvided":true}}}""", true)]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["*"],"effect":"allow"}}}}}""", true)]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["*"],"effect":"deny"}}}}}""", false)]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["*"],"effect":"deny","when":true}}}}}""", true)]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["*"],"effect":"deny"},"b":{"prompts":["x"],"effect":"ask"}}}}}""", true)]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"elicitation":{"allow":true},"rules":{"a":{"tools":["*"],"effect":"deny"}}}}}""", true)]
    public void CanAsk_IsFalseOnlyWhereNothingCan(string json, bool expected) => Assert.That(PolicyTexts.Read(json).CanAsk, Is.EqualTo(expected));

    [TestCase("""{"audit":{"retentionDays":31}}""", "/audit/retentionDays")]
    [TestCase("""{"audit":{"retentionDays":6}}""", "/audit/retentionDays")]
    [TestCase("""{"audit":{"durability":"bestEffort"}}""", "/audit/durability")]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"trusted":true}}}""", "/servers/s/trusted")]
    [TestCase("""{"servers":{"s":{"command":"node"}}}""", "isolation")]
    [TestCase("""{"servers":{"s":{"command":"node","isolation":{"mode":"none"}}}}""", "/servers/s/isolation")]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"transport":"unchecked"}}}""", "/servers/s/transport")]
    [TestCase("""{"servers":{"s":{"url":"https://a.example","headers":{"Authorization":"Bearer x"}}}}""", "/servers/s/headers/Authorization")]
    [TestCase("""{"servers":{"s":{"hostProvided":true,"rules":{"a":{"tools":["read_*"],"effect":"allow"},"b":{"tools":["*"],"effect":"deny"}}}}}""", "/servers/s/rules/a")]
    public void Warnings_PermittedButRisky_NameThePlace(string json, string place)
    {
        string warning = PolicyTexts.Read(json).Warnings.Single();
        Assert.That(warning, Does.Contain(place));
        Assert.That(warning, Does.Not.Contain("Bearer"), "a warning never shows a value");
    }

    // What a rule says about results is part of what was agreed to, key by key; the order of a list is not.
    [Test]
    public void Revision_ResultsOfARule_EachOtherValueIsAnother()
    {
        string[] results =
        [
            "{}", """{"maxBytes":"64KiB"}""", """{"maxBytes":"65KiB"}""", """{"maxItems":7}""", """{"maxDepth":7}""", """{"overflow":"deny"}""", """{"overflow":"cut"}""",
            """{"remoteReferences":"keep"}""", """{"allowedHosts":["a.example"]}""", """{"allowedHosts":["b.example"]}""", """{"mediaTypes":["image/png"]}""",
            """{"mediaTypes":["audio/wav"]}""", """{"mediaTypes":["image/png","audio/wav"]}""", """{"mediaMaxBytes":"1MiB"}""", """{"redact":true}""", """{"redact":false}""",
        ];
        Assert.That(results.Select(RevisionOf), Is.Unique);
        Assert.That(RevisionOf("""{"mediaTypes":["audio/wav","image/png"]}"""), Is.EqualTo(RevisionOf("""{"mediaTypes":["image/png","audio/wav"]}""")));
        Assert.That(RevisionOf("""{"allowedHosts":["b.example","a.example"]}"""), Is.EqualTo(RevisionOf("""{"allowedHosts":["a.example","b.example"]}""")));
    }

    private static string RevisionOf(string results) =>
        PolicyTexts.Read("""{"servers":{"s":{"hostProvided":true,"rules":{"r":{"tools":["read"],"effect":"allow","results":""" + results + "}}}}}").Revision;

    private static JsonNode Shuffle(JsonNode node, Random random)
    {
        switch (node)
        {
            case JsonObject source:
                KeyValuePair<string, JsonNode?>[] members = [.. source];
                random.Shuffle(members);
                var target = new JsonObject();
                foreach ((string key, JsonNode? value) in members)
                {
                    target[key] = value is null ? null : Shuffle(value, random);
                }

                return target;
            case JsonArray list:
                return new JsonArray([.. list.Select(item => item is null ? null : Shuffle(item, random))]);
            default:
                return node.DeepClone();
        }
    }
}
