using System.Text.Json;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.ToolPinning;

namespace Mcp.Guard.Tests.Stages.ToolPinning;

[TestFixture]
internal sealed class ToolComparisonTests
{
    private const string Tool = """{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true}}""";

    public static IEnumerable<TestCaseData> RugPulls()
    {
        using JsonDocument document = CorpusFile.Open("text.json");
        foreach (JsonElement pull in document.RootElement.GetProperty("rugPulls").EnumerateArray())
        {
            yield return new TestCaseData(pull.GetProperty("before").Clone(), pull.GetProperty("after").Clone(), pull.GetProperty("expect").GetString())
                .SetArgDisplayNames(pull.GetProperty("id").GetString()!);
        }
    }

    [TestCaseSource(nameof(RugPulls))]
    public void Relate_RugPull_IsSeen(JsonElement before, JsonElement after, string expect)
    {
        ToolRelation relation = ToolComparison.Relate(before, after);
        Assert.That(relation, Is.EqualTo(expect switch { "same" => ToolRelation.Same, "new-tool" => ToolRelation.NewTool, _ => ToolRelation.Reconsent }));
        Assert.That(ToolComparison.Describe(before, after), relation == ToolRelation.Same ? Is.Empty : Is.Not.Empty);
    }

    [TestCase("""{"name":"get_facts","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true}}""", "NewTool")]
    [TestCase("""{"name":"Get_Fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true}}""", "NewTool")]
    [TestCase("""{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}}}""", "Reconsent")]
    [TestCase("""{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"},"x":{}}},"annotations":{"readOnlyHint":true}}""", "Reconsent")]
    [TestCase("""{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true},"_meta":{}}""", "Reconsent")]
    [TestCase("""{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true},"icons":[{"src":"x"}]}""", "Reconsent")]
    [TestCase("""{"name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true},"execution":{"taskSupport":"optional"}}""", "Reconsent")]
    [TestCase("""{"name":"get_fact","title":null,"description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true}}""", "Reconsent")]
    [TestCase("""{ "annotations" : { "readOnlyHint" : true } , "inputSchema":{"properties":{"topic":{"type":"strin\u0067"}},"type":"object"}, "description":"Get a random fact.","name":"get_fact"}""", "Same")]
    [TestCase("""{"name":"get_fact","name":"get_fact","description":"Get a random fact.","inputSchema":{"type":"object","properties":{"topic":{"type":"string"}}},"annotations":{"readOnlyHint":true}}""", "Reconsent")]
    [TestCase("""{"name":7}""", "Reconsent")]
    [TestCase("[]", "Reconsent")]
    [TestCase("null", "Reconsent")]
    public void Relate_Change_IsSeen(string after, string expect) =>
        Assert.That(ToolComparison.Relate(Parse(Tool), Parse(after)).ToString(), Is.EqualTo(expect));

    [Test]
    public void Relate_UnreadableDefinition_IsNotTheSameAsItself()
    {
        JsonElement duplicate = Parse("""{"name":"a","name":"a"}""");
        Assert.That(ToolComparison.Relate(duplicate, duplicate), Is.EqualTo(ToolRelation.Reconsent));
        Assert.That(ToolComparison.Relate(default, default), Is.EqualTo(ToolRelation.Reconsent));
    }

    [Test]
    public void Describe_InvisibleCharacter_IsMadeVisible()
    {
        JsonElement after = Parse(Tool.Replace("fact.", "fact.\\u200b", StringComparison.Ordinal));
        Assert.That(ToolComparison.Describe(Parse(Tool), after), Is.EqualTo(new[] { """changed /description: was "Get a random fact." | is "Get a random fact.\u200B" """.TrimEnd() }));
    }

    [Test]
    public void Describe_AddedAndRemovedMembers_NamesTheirPlaces()
    {
        IReadOnlyList<string> lines = ToolComparison.Describe(Parse("""{"name":"t","a/b~c":1,"same":2}"""), Parse("""{"name":"t","same":2,"x":{"y":1}}"""));
        Assert.That(lines, Has.Count.EqualTo(2));
        Assert.That(lines[0], Is.EqualTo("removed /a~1b~0c: 1"));
        Assert.That(lines[1], Does.StartWith("added /x: {"));
    }

    [Test]
    public void Describe_MoreChangesThanAPersonReads_IsBounded()
    {
        string before = "{\"name\":\"t\"," + string.Join(',', Enumerable.Range(0, 200).Select(i => $"\"p{i}\":0")) + "}";
        string after = before.Replace(":0", ":1", StringComparison.Ordinal);
        IReadOnlyList<string> lines = ToolComparison.Describe(Parse(before), Parse(after));
        Assert.That(lines, Has.Count.EqualTo(ToolComparison.MaxChanges + 1));
        Assert.That(lines[^1], Is.EqualTo("and 176 more differences"));
    }

    [Test]
    public void TryOfTool_LargerThanTheLimit_HasNoFingerprint()
    {
        JsonElement large = Parse($$"""{"name":"t","description":"{{new string('x', 2 * 1024 * 1024)}}"}""");
        Assert.That(ToolFingerprint.TryOfTool(large, out string? fingerprint), Is.EqualTo(JsonFault.TooLarge));
        Assert.That(fingerprint, Is.Null);
    }

    [Test]
    public void OfInstructions_AnyChange_IsSeen()
    {
        string? plain = ToolFingerprint.OfInstructions("Use the tools.");
        Assert.That(plain, Has.Length.EqualTo(64));
        Assert.That(ToolFingerprint.OfInstructions("Use the tools. "), Is.Not.EqualTo(plain));
        Assert.That(ToolFingerprint.OfInstructions("Use the tools.\ud800"), Is.Not.EqualTo(ToolFingerprint.OfInstructions("Use the tools.\ufffd")));
        Assert.That(ToolFingerprint.OfInstructions(string.Empty), Is.Not.Null);
        Assert.That(ToolFingerprint.OfInstructions(null), Is.Null);
        Assert.That(ToolFingerprint.OfInstructions(new string('x', 5000)), Is.Not.EqualTo(ToolFingerprint.OfInstructions(new string('x', 5001))));
    }

    private static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
