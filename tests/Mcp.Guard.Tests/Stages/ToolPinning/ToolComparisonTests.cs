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
    public void Same_Fingerprints_AreComparedWhole()
    {
        string a = new('a', 64);
        Assert.That(ToolFingerprint.Same(a, new string('a', 64)), Is.True);
        Assert.That(ToolFingerprint.Same(a, new string('a', 63) + "b"), Is.False);
        Assert.That(ToolFingerprint.Same(a, a.ToUpperInvariant()), Is.False);
        Assert.That(ToolFingerprint.Same("short", "short"), Is.False, "no fingerprint has this length");
        Assert.That(ToolFingerprint.Same(null, null), Is.False, "nothing is the same as nothing");
        Assert.That(ToolFingerprint.Same(a, null), Is.False);
    }

    // Pins are kept in files and in policies: where the form changes every tool of every server counts as changed.
    [Test]
    public void TryOfTool_KnownDefinition_HasTheFingerprintOfEarlierVersions()
    {
        Assert.That(ToolFingerprint.TryOfTool(Parse(Tool), out string? fingerprint), Is.EqualTo(JsonFault.None));
        Assert.That(fingerprint, Is.EqualTo("923b2f7d701937d68249dc3b2b42b3181a1109c5b9c537c3079dad3a027bcca5"));
        Assert.That(ToolFingerprint.OfInstructions("Use the tools."), Is.EqualTo("0c3fd7b6b8ed5c1c6beb3a71c6d30a56f10e54e196a01bb96c5840863c4d229a"));
        Assert.That(ToolFingerprint.OfInstructions(new string('x', 513)), Is.EqualTo("c967a65be1cb34e328fbe8db1e19a3ae3f4db66504441856d68b2ede1db2bfed"));
        Assert.That(ToolFingerprint.CanonicalText(Parse("""{ "b": 1.0, "a": "\u0041" }""")), Is.EqualTo("""{"a":"A","b":1}"""));
        Assert.That(ToolFingerprint.CanonicalText(Parse("""{"a":1,"a":2}""")), Is.Null);
    }

    [Test]
    public void TryOfTool_NoObject_IsMalformed()
    {
        Assert.That(ToolFingerprint.TryOfTool(Parse("[]"), out string? fingerprint), Is.EqualTo(JsonFault.Malformed));
        Assert.That(fingerprint, Is.Null);
        Assert.That(ToolFingerprint.TryOfTool(default, out _), Is.EqualTo(JsonFault.Malformed));
    }

    [TestCase("""{"name":"a"}""", "a")]
    [TestCase("""{"name":"\u0061"}""", "a")]
    [TestCase("""{"name":1}""", null)]
    [TestCase("""{"Name":"a"}""", null)]
    [TestCase("[]", null)]
    public void TryGetName_Definition_GivesTheExactName(string definition, string? expected)
    {
        Assert.That(ToolComparison.TryGetName(Parse(definition), out string? name), Is.EqualTo(expected is not null));
        Assert.That(name, Is.EqualTo(expected));
    }

    [Test]
    public void Differences_LongTexts_ShowOnlyWhatDiffersAndALittleAround()
    {
        string same = new('a', 500);
        ToolDifferences differences = ToolComparison.Differences($$"""{"d":"{{same}}old{{same}}"}""", Parse($$"""{"d":"{{same}}new one{{same}}"}"""));
        string around = new('a', 60);
        Assert.That(differences.Changes.Single(), Is.EqualTo(new ToolChange(
            "/d", $"(440 equal characters) \"{around}old{around}\" (123 characters) (440 equal characters)", $"(440 equal characters) \"{around}new one{around}\" (127 characters) (440 equal characters)")));
        Assert.That((differences.Omitted, differences.IsCut), Is.EqualTo((0, false)));
    }

    [TestCase(400, false)]
    [TestCase(401, true)]
    public void Differences_TextAtTheBound_IsShownWholeUpToIt(int length, bool shortened)
    {
        ToolChange change = ToolComparison.Differences($$"""{"d":"x{{new string('a', length - 1)}}"}""", Parse($$"""{"d":"y{{new string('a', length - 1)}}"}""")).Changes.Single();
        Assert.That(change.Before, Does.StartWith(shortened ? $"\"x{new string('a', 60)}\" ({length - 61} equal characters)" : $"\"x{new string('a', length - 1)}\""));
        Assert.That(change.After, Does.StartWith("\"y"));
    }

    [Test]
    public void Differences_TextThatGrewAtItsEnd_ShowsTheEnd()
    {
        string same = new('a', 1_000);
        ToolChange change = ToolComparison.Differences($$"""{"d":"{{same}}"}""", Parse($$"""{"d":"{{same}} and more"}""")).Changes.Single();
        Assert.That(change.Before, Is.EqualTo($"(940 equal characters) \"{new string('a', 60)}\""));
        Assert.That(change.After, Is.EqualTo($"(940 equal characters) \"{new string('a', 60)} and more\""));
    }

    [Test]
    public void Differences_CharacterOfTwoUnitsAtTheCut_StaysWhole()
    {
        // The cut before the difference falls into the face, whichever of the two places it begins at; so does the cut behind it.
        foreach (string shift in new[] { "", "a" })
        {
            string faces = shift + string.Concat(Enumerable.Repeat("\U0001F600", 250));
            ToolChange change = ToolComparison.DifferencesOfTexts($$"""{"d":"{{faces}}x{{faces}}"}""", $$"""{"d":"{{faces}}y{{faces}}"}""").Changes.Single();
            Assert.That(change.Before + change.After, Does.Not.Contain("\\uD8").And.Not.Contain("\\uDE").IgnoreCase);
            Assert.That(change.Before, Does.Contain("x").And.Contain("\U0001F600x" + (shift.Length == 0 ? "\U0001F600" : "a")));
        }
    }

    [Test]
    public void Differences_CutsInsideACharacter_KeepItWhole()
    {
        string faces = string.Concat(Enumerable.Repeat("\U0001F600", 250));
        ToolChange change = ToolComparison.DifferencesOfTexts($$"""{"d":"{{faces}}ax{{faces}}"}""", $$"""{"d":"{{faces}}ay{{faces}}"}""").Changes.Single();
        Assert.That(change.Before, Does.StartWith("(440 equal characters) \"\U0001F600").And.EndsWith(" (440 equal characters)"));
        change = ToolComparison.DifferencesOfTexts($$"""{"d":"xa{{faces}}"}""", $$"""{"d":"ya{{faces}}"}""").Changes.Single();
        Assert.That(change.After, Does.StartWith("\"ya\U0001F600").And.EndsWith(" (440 equal characters)"));
        change = ToolComparison.DifferencesOfTexts($$"""{"d":"x{{faces}}a"}""", $$"""{"d":"y{{faces}}a"}""").Changes.Single();
        Assert.That(change.After, Does.EndWith(" (441 equal characters)"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Differences_OneTextLong_ShowsOnlyWhatDiffers(bool grows)
    {
        string shorter = new('a', 300);
        string longer = new string('a', 300) + new string('b', 200);
        (string before, string after) = grows ? (shorter, longer) : (longer, shorter);
        ToolChange change = ToolComparison.DifferencesOfTexts($$"""{"d":"{{before}}"}""", $$"""{"d":"{{after}}"}""").Changes.Single();
        Assert.That(grows ? change.Before : change.After, Is.EqualTo($"(240 equal characters) \"{new string('a', 60)}\""));
        Assert.That(grows ? change.After : change.Before, Does.StartWith($"(240 equal characters) \"{new string('a', 60)}b"));
    }

    [Test]
    public void Differences_MoreOfTheSame_CountsNothingTwice()
    {
        ToolChange change = ToolComparison.DifferencesOfTexts($$"""{"d":"{{new string('a', 600)}}"}""", $$"""{"d":"{{new string('a', 620)}}"}""").Changes.Single();
        Assert.That(change.Before, Is.EqualTo($"(540 equal characters) \"{new string('a', 60)}\""));
        Assert.That(change.After, Does.StartWith($"(540 equal characters) \"{new string('a', 80)}\""));
        string head = new('p', 500);
        string tail = new('s', 500);
        change = ToolComparison.DifferencesOfTexts($$"""{"d":"{{head}}{{tail}}"}""", $$"""{"d":"{{head}}xp{{tail}}"}""").Changes.Single();
        Assert.That(change.Before, Does.EndWith(" (440 equal characters)"));
        Assert.That(change.After, Does.EndWith(" (440 equal characters)"));
    }

    [TestCase("""{"a":{"x":1}}""", """{"a":2}""")]
    [TestCase("""{"a":2}""", """{"a":{"x":1}}""")]
    public void Differences_ObjectForAnotherKind_IsOneChange(string before, string after) =>
        Assert.That(ToolComparison.DifferencesOfTexts(before, after).Changes.Single().Location, Is.EqualTo("/a"));

    [TestCase(300, true)]
    [TestCase(301, false)]
    public void Differences_DeepPlace_IsWalkedUpToItsBound(int length, bool walked)
    {
        string[] names = [.. Enumerable.Repeat(new string('n', 29), 9), new string('n', length - (9 * 30) - 1)];
        string Of(int value) => string.Concat(names.Select(name => $$"""{"{{name}}":""")) + $$"""{"z":{{value}}}""" + new string('}', names.Length);
        Assert.That(ToolComparison.DifferencesOfTexts(Of(1), Of(2)).Changes.Single().Location, Has.Length.EqualTo(walked ? length + 2 : length));
    }

    [Test]
    public void DifferencesOfTexts_DeepestText_IsRead()
    {
        string Of(int value) => new string('[', 65) + value + new string(']', 65);
        Assert.That(ToolComparison.DifferencesOfTexts(Of(1), Of(2)).Changes, Has.Count.EqualTo(1));
    }

    [Test]
    public void Differences_BothSidesCut_SaysSo() =>
        Assert.That(ToolComparison.DifferencesOfTexts($$"""{"d":["{{new string('a', 5_000)}}"]}""", $$"""{"d":["{{new string('b', 5_000)}}"]}""").IsCut, Is.True);

    [Test]
    public void Describe_NothingOffered_ShowsWhatIsGone() =>
        Assert.That(ToolComparison.Describe(Parse("""{"name":"t"}"""), default), Has.Count.EqualTo(1).And.All.StartsWith("removed"));

    [Test]
    public void Differences_LongDifference_IsCutAndSaysSo()
    {
        ToolDifferences differences = ToolComparison.Differences($$"""{"d":"{{new string('a', 5_000)}}"}""", Parse($$"""{"d":"{{new string('b', 5_000)}}"}"""));
        Assert.That(differences.IsCut, Is.True);
        Assert.That(ToolComparison.Differences($$"""{"d":["{{new string('a', 5_000)}}"]}""", Parse("""{"d":[]}""")).IsCut, Is.True);
        Assert.That(ToolComparison.Differences("""{"d":["a"]}""", Parse("""{"d":[]}""")).IsCut, Is.False);
    }

    [Test]
    public void Differences_NothingBefore_ShowsTheWholeDefinition()
    {
        ToolChange change = ToolComparison.Differences(null, Parse("""{"name":"t"}""")).Changes.Single();
        Assert.That((change.Location, change.Before), Is.EqualTo((string.Empty, null as string)));
        Assert.That(change.After, Does.Contain("name"));
    }

    [Test]
    public void Differences_DefinitionThatCannotBeRead_IsShownAsAWhole()
    {
        ToolChange change = ToolComparison.Differences("""{"a":1,"b":2}""", Parse("""{"a":1,"a":2}""")).Changes.Single();
        Assert.That(change.Location, Is.Empty);
        Assert.That(change.Before, Does.Contain("b"));
        Assert.That(change.After, Is.Not.Null);
    }

    [TestCase(256, true)]
    [TestCase(257, false)]
    public void Differences_ObjectOfManyMembers_IsWalkedUpToItsBound(int members, bool walked)
    {
        string Of(int value) => "{\"o\":{" + string.Join(',', Enumerable.Range(0, members).Select(i => $"\"p{i}\":{(i == 0 ? value : 0)}")) + "}}";
        Assert.That(ToolComparison.Differences(Of(1), Parse(Of(2))).Changes.Single().Location, Is.EqualTo(walked ? "/o/p0" : "/o"));
    }

    [Test]
    public void Differences_ManyChanges_AreListedUpToTheirBoundAndCounted()
    {
        string Of(int count, int value) => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"p{i}\":{value}")) + "}";
        ToolDifferences most = ToolComparison.Differences(Of(ToolComparison.MaxChanges, 0), Parse(Of(ToolComparison.MaxChanges, 1)));
        Assert.That((most.Changes.Count, most.Omitted), Is.EqualTo((ToolComparison.MaxChanges, 0)));
        ToolDifferences more = ToolComparison.Differences(Of(ToolComparison.MaxChanges + 1, 0), Parse(Of(ToolComparison.MaxChanges + 1, 1)));
        Assert.That((more.Changes.Count, more.Omitted), Is.EqualTo((ToolComparison.MaxChanges, 1)));
        Assert.That(ToolComparison.Describe(Parse(Of(24, 0)), Parse(Of(24, 1))), Has.Count.EqualTo(24));
    }

    [Test]
    public void Differences_SameMeaningInOtherWords_AreNone() =>
        Assert.That(ToolComparison.Differences("""{"a":{"x":1.0,"y":[1,2]}}""", Parse("""{ "a": { "y": [1, 2.0], "x": 1 } }""")).Changes, Is.Empty);

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
