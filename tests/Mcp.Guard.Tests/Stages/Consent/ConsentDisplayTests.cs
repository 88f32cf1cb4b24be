using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

[TestFixture]
internal sealed class ConsentDisplayTests
{
    [Test]
    public void Arguments_Plain_AreShownAsTheyAre()
    {
        DisplayText display = Show("""{"path":"/srv/a.txt","force":true,"count":3,"tags":["x",null],"none":{}}""");
        Assert.That(display.Text, Is.EqualTo("{\n  \"path\": \"/srv/a.txt\"\n  \"force\": true\n  \"count\": 3\n  \"tags\": [\n    \"x\"\n    null\n  ]\n  \"none\": {}\n}"));
        Assert.That(display.IsCut, Is.False);
    }

    [Test]
    public void Arguments_PayloadPastTheFold_IsBroughtBack()
    {
        DisplayText blanks = Show($$"""{"body":"Hello{{new string(' ', 3000)}}bcc: eve@example.test"}""");
        Assert.That(blanks.Text, Does.Contain("\"Hello\" [3,000 spaces] \"bcc: eve@example.test\" (3,026 characters)"));
        Assert.That(blanks.IsCut, Is.False);
        DisplayText lines = Show($$"""{"body":"Hello{{string.Concat(Enumerable.Repeat("\\n", 200))}}bcc"}""");
        Assert.That(lines.Text, Does.Contain("\"Hello\" [200 line feeds] \"bcc\""));
        DisplayText mixed = Show($$"""{"body":"Hello{{string.Concat(Enumerable.Repeat(" \\n\\t", 100))}}bcc"}""");
        Assert.That(mixed.Text, Does.Contain("\"Hello\" [300 blanks and line breaks] \"bcc\""));
        Assert.That(mixed.IsCut, Is.True, "the pattern of the blanks is not shown");
    }

    [Test]
    public void Arguments_TwoJumblesOfBlanks_CountAsCutToo()
    {
        string blanks = string.Concat(Enumerable.Repeat(" \\n\\t", 100));
        Assert.That(Show($$"""{"body":"a{{blanks}}b{{blanks}}c"}""").IsCut, Is.True);
    }

    [Test]
    public void Arguments_RemarkInAValue_StaysInItsQuotes()
    {
        DisplayText display = Show("""{"a":"x\" [3,000 spaces] \"y"}""");
        Assert.That(display.Text, Does.Contain("\"x\\\" [3,000 spaces] \\\"y\""));
    }

    [TestCase("\\u202Egpj.exe", "\"\\u202Egpj.exe\"")]
    [TestCase("\\u001b[2K\\u001b[1A", "\"\\u001B[2K\\u001B[1A\"")]
    [TestCase("a\\u009b2Jb", "\"a\\u009B2Jb\"")]
    [TestCase("a\\u0007\\u007f", "\"a\\u0007\\u007F\"")]
    [TestCase("a\\u200bb\\ufeff", "\"a\\u200Bb\\uFEFF\"")]
    [TestCase("\\udb40\\udc41", "\"\\u{E0041}\"")]
    [TestCase("a\\u00a0b\\u3000c", "\"a\\u00A0b\\u3000c\"")]
    [TestCase("x\\u2800\\u3164\\uffa0", "\"x\\u2800\\u3164\\uFFA0\"")]
    [TestCase("a\\u2028b\\u0085", "\"a\\u2028b\\u0085\"")]
    [TestCase("\\ue000", "\"\\uE000\"")]
    [TestCase("\\u0301a\\u0301\\u0301\\u0301\\u0301", "\"\\u0301a\u0301\u0301\\u0301\\u0301\"")]
    [TestCase("caf\\u00e9 \\u65e5\\u672c \\ud83d\\ude00", "\"café 日本 😀\"")]
    [TestCase("C:\\\\Users\\t\\\"q\\\"", "\"C:\\\\Users\\t\\\"q\\\"\"")]
    public void Arguments_WhatIsNotPlain_IsEscaped(string inside, string expect) =>
        Assert.That(Show($"{{\"a\":\"{inside}\"}}").Text, Is.EqualTo($"{{\n  \"a\": {expect}\n}}"));

    [Test]
    public void Arguments_LongValue_ShowsLengthHeadAndTail()
    {
        DisplayText display = Show($$"""{"body":"HEAD{{new string('x', 50_000)}}TAIL"}""");
        Assert.That(display.IsCut, Is.True);
        Assert.That(display.Text, Does.StartWith("{\n  \"body\": \"HEADxxx"));
        Assert.That(display.Text, Does.Match("\" \\[[0-9,]+ characters not shown\\] \"x"));
        Assert.That(display.Text, Does.EndWith("xTAIL\" (50,008 characters)\n}"));
        Assert.That(display.Text, Has.Length.LessThan(ConsentDisplay.ArgumentsBudget + 1000));
    }

    [Test]
    public void Arguments_LongValueBesideShortOnes_PushesNoneOut()
    {
        string json = "{\"first\":\"1\",\"long\":\"" + new string('y', 1_000_000) + "\",\"recipient\":\"eve@example.test\"}";
        Assert.That(Show(json).Text, Does.Contain("\"recipient\": \"eve@example.test\""));
    }

    [Test]
    public void Arguments_VeryManyMembers_ShowsHeadAndTailAndCountsTheRest()
    {
        string json = "{" + string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"p{i}\":{i}")) + "}";
        DisplayText display = Show(json);
        Assert.That(display.IsCut, Is.True);
        Assert.That(display.Text, Does.Contain("of 5,000 values not shown)").And.Contain("\"p0\": 0").And.Contain("\"p4999\": 4999"));
        Assert.That(display.Text, Has.Length.LessThan(20_000));
    }

    [Test]
    public void Arguments_DeepAndWide_StaysBounded()
    {
        string json = string.Concat(Enumerable.Repeat("{\"a\":[", 30)) + "1" + string.Concat(Enumerable.Repeat("]}", 30));
        DisplayText deep = Show(json);
        Assert.That(deep.IsCut, Is.True);
        Assert.That(deep.Text, Does.Contain("not shown"));
        string wide = "[" + string.Join(',', Enumerable.Repeat("[" + string.Join(',', Enumerable.Repeat("[1,2,3,4,5,6,7,8,9]", 60)) + "]", 60)) + "]";
        Assert.That(Show(wide).Text, Has.Length.LessThan(40_000));
    }

    [Test]
    public void Value_NotAdmitted_IsNotShown()
    {
        DisplayText display = Show("""{"path":"/ok","path":"/etc/x"}""");
        Assert.That(display.IsCut, Is.True);
        Assert.That(display.Text, Does.Not.Contain("/etc").And.Contain("one name twice"));
        Assert.That(ConsentDisplay.Arguments(default).Text, Is.EqualTo("(no arguments)"));
    }

    [TestCase("delete-file", "delete-file")]
    [TestCase("a\nb\u202E", "a\\nb\\u202E")]
    [TestCase("a\\nb", "a\\\\nb")]
    public void Name_AnyText_IsOneLine(string name, string expect) => Assert.That(ConsentDisplay.Name(name), Is.EqualTo(expect));

    [Test]
    public void Quote_AnyText_IsPlainBoundedAndNeverThrows()
    {
        Gen<char> chars = Gen.Frequency(
            (4, Gen.Elements(" \n\t\"\\[]ax\u0301\u202E\u001b\u2800\u3000".ToCharArray())),
            (1, ArbMap.Default.GeneratorFor<char>()));
        Check.One(Properties.Config(), Prop.ForAll(chars.ArrayOf().ToArbitrary(), Gen.Choose(1, 200).ToArbitrary(), (text, budget) =>
        {
            DisplayText display = ConsentDisplay.Quote(new string(text), budget);
            bool plain = display.Text.EnumerateRunes().All(rune => DisplayCharacter.IsPlain(rune));
            return plain && display.Text.Length <= 12 * budget + 200;
        }));
    }

    [Test]
    public void Quote_DifferentTextsThatAreNotCut_LookDifferent()
    {
        Gen<string> text = Gen.Elements(" ", "\n", "\\", "\"", "n", "[9 spaces]", "\u202E", "\\u202E", "         ", "\" [9 spaces] \"", "é", "e\u0301").ArrayOf(4).Select(string.Concat);
        Check.One(Properties.Config(), Prop.ForAll(text.ToArbitrary(), text.ToArbitrary(), (one, other) =>
        {
            DisplayText left = ConsentDisplay.Quote(one, 10_000);
            DisplayText right = ConsentDisplay.Quote(other, 10_000);
            return left.IsCut || right.IsCut || (left.Text == right.Text) == (one == other);
        }));
    }

    // Eight blanks in a row still read as what they are; a jumble of more than 64 is counted as a whole.
    [TestCase(8, "\"a        b\"")]
    [TestCase(9, "\"a\" [9 spaces] \"b\"")]
    public void Quote_RunOfBlanks_IsNamedFromNineOn(int blanks, string shown) => Assert.That(ConsentDisplay.Quote("a" + new string(' ', blanks) + "b", 400), Is.EqualTo(new DisplayText(shown, false)));

    [TestCase(32, false)]
    [TestCase(33, true)]
    public void Quote_JumbleOfBlanks_IsCountedBeyond64(int pairs, bool counted)
    {
        DisplayText shown = ConsentDisplay.Quote("a" + string.Concat(Enumerable.Repeat(" \n", pairs)) + "b", 4_000);
        Assert.That(shown.IsCut, Is.EqualTo(counted));
        Assert.That(shown.Text.Contains("66 blanks and line breaks", StringComparison.Ordinal), Is.EqualTo(counted));
    }

    [TestCase(79, false)]
    [TestCase(80, true)]
    public void Quote_Length_IsSaidFrom80On(int length, bool said) =>
        Assert.That(ConsentDisplay.Quote(new string('x', length), 400).Text, Is.EqualTo($"\"{new string('x', length)}\"{(said ? " (80 characters)" : "")}"));

    [TestCase(160, false)]
    [TestCase(161, true)]
    public void Name_LongerThanItsRoom_ShowsHeadAndTail(int length, bool cut)
    {
        string name = ConsentDisplay.Name(new string('a', length - 1) + "z");
        Assert.That(name, Is.EqualTo(cut ? $"{new string('a', 120)} [1 characters not shown] {new string('a', 39)}z" : new string('a', length - 1) + "z"));
    }

    // A pair of surrogates is one character at every edge of what is shown.
    [Test]
    public void Quote_EmojisAtTheEdges_AreNotSplit()
    {
        string face = char.ConvertFromUtf32(0x1F600);
        for (int budget = 40; budget < 60; budget++)
        {
            DisplayText shown = ConsentDisplay.Quote(string.Concat(Enumerable.Repeat(face, 100)), budget);
            Assert.That(shown.IsCut, Is.True);
            Assert.That(shown.Text, Does.Not.Contain("\\u").And.StartWith("\"" + face).And.Contain(face + "\" (200 characters)"));
        }
    }

    [Test]
    public void Quote_MarksOnALetter_AreShownUpToTwo() =>
        Assert.That(ConsentDisplay.Quote("a\u0301\u0302\u0303b\u0301", 400).Text, Is.EqualTo("\"a\u0301\u0302\\u0303b\u0301\""));

    [Test]
    public void Value_Depth_IsShownToTwelve()
    {
        JsonElement deep = JsonElement.Parse(string.Concat(Enumerable.Repeat("[", 13)) + "1" + string.Concat(Enumerable.Repeat("]", 13)));
        DisplayText cut = ConsentDisplay.Value(deep, 8_000);
        Assert.That(cut.IsCut, Is.True);
        Assert.That(cut.Text, Does.Contain("(list with 1 values, not shown)"));
        DisplayText whole = ConsentDisplay.Value(deep[0], 8_000);
        Assert.That(whole.IsCut, Is.False);
        Assert.That(whole.Text, Does.Contain("\n" + new string(' ', 24) + "1\n"));
        Assert.That(ConsentDisplay.Value(JsonElement.Parse(string.Concat(Enumerable.Repeat("{\"a\":", 13)) + "1" + string.Concat(Enumerable.Repeat("}", 13))), 8_000).Text, Does.Contain("(object with 1 values, not shown)"));
    }

    [Test]
    public void Value_ManyItems_ShowsTheFirstThreeQuartersAndTheLastQuarter()
    {
        DisplayText shown = ConsentDisplay.Value(JsonElement.Parse("[" + string.Join(',', Enumerable.Range(0, 20)) + "]"), 480);
        Assert.That(shown.Text, Is.EqualTo("[\n  0\n  1\n  2\n  3\n  4\n  5\n  (12 of 20 values not shown)\n  18\n  19\n]"));
        Assert.That(shown.IsCut, Is.True);
        DisplayText all = ConsentDisplay.Value(JsonElement.Parse("[0,1,2,3]"), 1);
        Assert.That(all, Is.EqualTo(new DisplayText("[\n  0\n  1\n  2\n  3\n]", false)));
        Assert.That(ConsentDisplay.Value(JsonElement.Parse("[]"), 1), Is.EqualTo(new DisplayText("[]", false)));
        Assert.That(ConsentDisplay.Value(default, 1), Is.EqualTo(new DisplayText("(nothing)", false)));
    }

    private static DisplayText Show(string json)
    {
        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
        return ConsentDisplay.Arguments(document.RootElement);
    }
}
