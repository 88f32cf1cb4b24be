using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>The small notations of a policy, how foreign text is shown, and the values between text and reader.</summary>
[TestFixture]
internal sealed class PolicyTextTests
{
    [TestCase("0ms", 0)]
    [TestCase("1ms", TimeSpan.TicksPerMillisecond)]
    [TestCase("2s", 2 * TimeSpan.TicksPerSecond)]
    [TestCase("3m", 3 * TimeSpan.TicksPerMinute)]
    [TestCase("4h", 4 * TimeSpan.TicksPerHour)]
    [TestCase("5d", 5 * TimeSpan.TicksPerDay)]
    [TestCase("3650d", 3650 * TimeSpan.TicksPerDay)]
    [TestCase("3651d", -1)]
    [TestCase("87600h", 3650 * TimeSpan.TicksPerDay)]
    [TestCase("87601h", -1)]
    [TestCase("315360000000ms", 3650 * TimeSpan.TicksPerDay)]
    [TestCase("000000000001s", TimeSpan.TicksPerSecond)]
    [TestCase("0000000000001s", -1)]
    [TestCase("s", -1)]
    [TestCase("1", -1)]
    [TestCase("1 s", -1)]
    [TestCase("1S", -1)]
    [TestCase("-1s", -1)]
    public void TryDuration_Text_IsReadExactly(string text, long ticks)
    {
        Assert.That(PolicyText.TryDuration(text, out TimeSpan duration), Is.EqualTo(ticks >= 0));
        Assert.That(duration.Ticks, Is.EqualTo(Math.Max(0, ticks)));
    }

    [TestCase("0B", 0)]
    [TestCase("7B", 7)]
    [TestCase("1KiB", 1024)]
    [TestCase("2MiB", 2 * 1024 * 1024)]
    [TestCase("3GiB", 3L * 1024 * 1024 * 1024)]
    [TestCase("8589934591GiB", 8_589_934_591L << 30)]
    [TestCase("8589934592GiB", -1)]
    [TestCase("000000000000001B", 1)]
    [TestCase("0000000000000001B", -1)]
    [TestCase("KiB", -1)]
    [TestCase("1kib", -1)]
    [TestCase("1", -1)]
    public void TrySize_Text_IsReadExactly(string text, long bytes)
    {
        Assert.That(PolicyText.TrySize(text, out long size), Is.EqualTo(bytes >= 0));
        Assert.That(size, Is.EqualTo(Math.Max(0, bytes)));
    }

    [TestCase(0, "0s")]
    [TestCase(1, "1ms")]
    [TestCase(TimeSpan.TicksPerMillisecond, "1ms")]
    [TestCase(TimeSpan.TicksPerMillisecond + 1, "2ms")]
    [TestCase(1500 * TimeSpan.TicksPerMillisecond, "1500ms")]
    [TestCase(90 * TimeSpan.TicksPerSecond, "90s")]
    [TestCase(120 * TimeSpan.TicksPerSecond, "2m")]
    [TestCase(90 * TimeSpan.TicksPerMinute, "90m")]
    [TestCase(36 * TimeSpan.TicksPerHour, "36h")]
    [TestCase(2 * TimeSpan.TicksPerDay, "2d")]
    public void Duration_Time_IsTheShortestNotation(long ticks, string expected) => Assert.That(PolicyText.Duration(new TimeSpan(ticks)), Is.EqualTo(expected));

    [Test]
    public void Duration_WholeMilliseconds_IsReadBack() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), milliseconds =>
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            return PolicyText.TryDuration(PolicyText.Duration(duration), out TimeSpan read) && read == duration;
        }).Check(Properties.Config());

    [TestCase("plain ü 漢 😀", "'plain ü 漢 😀'")]
    [TestCase("", "''")]
    [TestCase("a\nb\0", "'a<U+000A>b<U+0000>'")]
    [TestCase("a\u202eb\u200b", "'a<U+202E>b<U+200B>'")]
    [TestCase("\ue000\u2028\u2029\u0378", "'<U+E000><U+2028><U+2029><U+0378>'")]
    [TestCase("\U000E0041", "'<U+E0041>'")]
    public void Quote_Text_IsShownWithoutWhatCannotBeSeen(string text, string expected) => Assert.That(PolicyText.Quote(text), Is.EqualTo(expected));

    /// <summary>The text is cut before it is redacted, and what redaction shortens brings the cut into sight.</summary>
    [Test]
    public void Quote_HalfACredentialAtTheInnerCut_IsNotShown()
    {
        string half = "ghp_" + "J44BUcHAolMavlSRMOXwGXYnNptsRZzMSjWF";
        string text = "password=" + new string('x', 3).PadRight(1024 - 9 - 1 - 20, 'y') + " " + half;
        Assert.That(PolicyText.Quote(text), Does.Not.Contain("ghp_"));
    }

    [Test]
    public void Quote_LongText_IsCutAtItsBound() => Assert.Multiple(() =>
    {
        Assert.That(PolicyText.Quote(new string('x', 64)), Is.EqualTo("'" + new string('x', 64) + "'"));
        Assert.That(PolicyText.Quote(new string('x', 65)), Is.EqualTo("'" + new string('x', 64) + "…'"));
        Assert.That(PolicyText.QuotePath(new string('x', 4_096)), Is.EqualTo("'" + new string('x', 4_096) + "'"));
        Assert.That(PolicyText.QuotePath(new string('x', 4_097)), Is.EqualTo("'" + new string('x', 4_096) + "…'"));
    });

    [TestCase("a", false)]
    [TestCase("a\u0001", true)]
    [TestCase("\u007f", true)]
    [TestCase("\u0085", true)]
    [TestCase("\ufffd", false)]
    [TestCase("a😀", false)]
    public void HasControl_Text_IsTrueForControlsAndHalves(string text, bool expected) => Assert.That(PolicyText.HasControl(text), Is.EqualTo(expected));

    // Not as a case: an attribute cannot hold half of a pair.
    [Test]
    public void HasControl_HalfOfAPair_IsTrue()
    {
        Assert.That(PolicyText.HasControl("a\ud800"), Is.True);
        Assert.That(PolicyText.HasControl("\udc00b"), Is.True);
    }

    [TestCase("efect", "effect")]
    [TestCase("effcet", "effect")]
    [TestCase("effectt", "effect")]
    [TestCase("EFFECT", "effect")]
    [TestCase("xyfect", "effect")]
    [TestCase("xyzect", null)]
    [TestCase("efftce", "effect")]
    [TestCase("tool", "tools")]
    [TestCase("ab", null)]
    [TestCase("b", "a")]
    [TestCase("", null)]
    public void Nearest_Word_IsTheOneThatWasMeant(string word, string? expected) =>
        Assert.That(PolicyText.Nearest(word, word.Length == 1 ? ["a"] : word == "ab" ? ["xy"] : ["tools", "effect", "timeout"]), Is.EqualTo(expected));

    [Test]
    public void Nearest_LongWord_IsNotCompared() => Assert.Multiple(() =>
    {
        Assert.That(PolicyText.Nearest(new string('a', 64), [new string('a', 63) + "b"]), Is.Not.Null);
        Assert.That(PolicyText.Nearest(new string('a', 65), [new string('a', 64) + "b"]), Is.Null);
    });

    [Test]
    public void Nearest_SeveralThatAreNear_IsTheNearest() => Assert.Multiple(() =>
    {
        Assert.That(PolicyText.Nearest("rules", ["roles", "rules2", "rule"]), Is.EqualTo("roles"), "the first of those that are equally near");
        Assert.That(PolicyText.Nearest("abcdef", ["abcxyf", "abcxef", "abcxyz"]), Is.EqualTo("abcxef"));
    });

    // The optimal string alignment distance as its definition says it, and slowly.
    [Test]
    public void Nearest_ShortWords_MeasuresTheDistanceOfTheDefinition()
    {
        Gen<string> words = Gen.Choose(0, 6).SelectMany(length => Gen.Elements('a', 'b', 'c').ArrayOf(length)).Select(chars => new string(chars));
        Prop.ForAll(words.Where(word => word.Length > 0).ToArbitrary(), words.ToArbitrary(), (word, other) =>
            PolicyText.Nearest(word, [other]) is not null == Distance(word, other) <= Math.Max(1, word.Length / 3)).Check(Properties.Config());
    }

    [TestCase("", "/a")]
    [TestCase("/a", "/a")]
    [TestCase("/a/b", "/a/b")]
    [TestCase("/a/x", "/a/x")]
    [TestCase("/list/1", "/list/1")]
    [TestCase("/list/2", "/list")]
    [TestCase("/list/-1", "/list")]
    [TestCase("/list/1/x", "/list/1")]
    [TestCase("/nowhere/a", "")]
    [TestCase("/sl~1ash/ti~0lde", "/sl~1ash/ti~0lde")]
    [TestCase("/sl~1ash/none", "/sl~1ash")]
    public void Nearest_Pointer_IsTheDeepestValueOnItsWay(string pointer, string expected)
    {
        PolicyNode root = Parse("""{"a":{"b":1,"x":2},"list":[{},true],"sl/ash":{"ti~lde":null}}""");
        Assert.That(root.Nearest(pointer).Pointer(), Is.EqualTo(pointer.Length == 0 ? string.Empty : expected));
    }

    [Test]
    public void Parse_AnyValue_HasKindTextAndPlace()
    {
        const string Text = "{\"o\":{},\"l\":[1.50, \"a\\u0062\"],\"t\":true,\"f\":false,\"n\":null}";
        PolicyNode root = Parse(Text);
        string[] seen = [.. All(root).Select(node => $"{node.Pointer()} {node.Kind} {node.Text ?? "-"} {Text[node.Start..node.End]}")];
        Assert.That(seen, Is.EqualTo(new[]
        {
            " Object - " + Text, "/o Object - {}", "/l Array - [1.50, \"a\\u0062\"]", "/l/0 Number 1.50 1.50", "/l/1 String ab \"a\\u0062\"", "/t True - true", "/f False - false",
            "/n Null - null",
        }));
    }

    [TestCase(new byte[] { 0xFF, 0xFE }, 1, 1, "the file is UTF-16", "Save it as UTF-8")]
    [TestCase(new byte[] { 0xFE, 0xFF, 0, 0x7B }, 1, 1, "the file is UTF-16", "Save it as UTF-8")]
    [TestCase(new byte[] { 0x7B, 0x0A, 0x22, 0xC3, 0xA9, 0xE2, 0x82 }, 2, 3, "the file is not valid UTF-8 here", "Save it as UTF-8")]
    [TestCase(new byte[] { 0xEF, 0xBB, 0xBF }, 1, 1, "the policy is empty", "The smallest policy is {}")]
    [TestCase(new byte[] { 0x0D, 0x09, 0x0A, 0x20 }, 1, 1, "the policy is empty", "The smallest policy is {}")]
    public void Parse_BytesThatAreNoText_SaysSo(byte[] bytes, int line, int column, string message, string fix)
    {
        GuardPolicyError error = Assert.Throws<McpGuardPolicyException>(() => PolicyReader.Read(bytes, null, FakeSchemas.Instance, PolicyTexts.Options))!.Errors.Single();
        Assert.That((error.Line, error.Column, error.Message, error.Fix), Is.EqualTo((line, column, message, fix)));
    }

    [TestCase("{\"a\":1", 1, 7, "the policy is not JSON: ", "The text ends too early: close what is open")]
    [TestCase("{\"a\" 1}", 1, 6, "the policy is not JSON: ", "Correct the JSON here")]
    [TestCase("{\n\n\"a\" 1}", 3, 5, "the policy is not JSON: ", "Correct the JSON here")]
    [TestCase("{\"a\":1,\n \t}", 2, 3, "a comma stands before the end of this object or list", "Remove the comma before it")]
    [TestCase("[1,]", 1, 4, "a comma stands before the end of this object or list", "Remove the comma before it")]
    [TestCase("{]", 1, 2, "the policy is not JSON: ", "Correct the JSON here")]
    [TestCase("{\"a\":1}\n//x", 2, 1, "comments are not part of JSON", "Remove it; say it in a \"description\"")]
    public void Parse_TextThatIsNoJson_SaysWhereAndHowToCorrectIt(string json, int line, int column, string message, string fix)
    {
        GuardPolicyError error = PolicyTexts.Errors(json).Single();
        Assert.Multiple(() =>
        {
            Assert.That((error.Line, error.Column, error.Fix, error.Location), Is.EqualTo((line, column, fix, string.Empty)));
            Assert.That(error.Message, Does.StartWith(message));
            Assert.That(error.Message, Does.Not.Contain("LineNumber").And.Not.EndWith("."), "the place is told in this library's words");
        });
    }

    [Test]
    public void ThrowIfAny_ErrorsInAnyOrder_AreSortedByPlace()
    {
        byte[] text = "{\n  \"a\": 1 }"u8.ToArray();
        var problems = new PolicyProblems(text, "/etc/p.json", hasText: true);
        problems.ThrowIfAny();
        problems.Error(999, "/c", "beyond", "fix");
        problems.Error(4, "/b", "second", "fix");
        problems.Error(0, "/a", "first", "fix");
        problems.Error(2, "/d", "line two", "fix");
        McpGuardPolicyException thrown = Assert.Throws<McpGuardPolicyException>(problems.ThrowIfAny)!;
        Assert.That(thrown.Errors.Select(error => (error.Line, error.Column, error.Message)), Is.EqualTo(new[] { (1, 1, "first"), (2, 1, "line two"), (2, 3, "second"), (2, 11, "beyond") }));
        Assert.That(thrown.Errors.Select(error => error.File), Is.All.EqualTo("/etc/p.json"));
        Assert.That(problems.IsFull, Is.False);
    }

    [TestCase(null, 0, 0, "", "policy: m. f.")]
    [TestCase(null, 3, 4, "", "policy(3,4): m. f.")]
    [TestCase("/p.json", 0, 0, "/a", "/p.json: /a: m. f.")]
    [TestCase("/p.json", 3, 4, "/a", "/p.json(3,4): /a: m. f.")]
    public void ToString_Error_NamesFilePlaceFaultAndFix(string? file, int line, int column, string location, string expected) =>
        Assert.That(new GuardPolicyError(file, line, column, location, "m", "f").ToString(), Is.EqualTo(expected));

    [Test]
    public void Construct_PolicyException_SaysEveryError()
    {
        var one = new GuardPolicyError(null, 1, 2, "/a", "m", "f");
        var cause = new IOException("cause");
        Assert.Multiple(() =>
        {
            Assert.That(new McpGuardPolicyException([one]).Message, Is.EqualTo("The policy is not acceptable: policy(1,2): /a: m. f."));
            Assert.That(
                new McpGuardPolicyException([one, one with { Location = "/b" }]).Message,
                Is.EqualTo($"The policy is not acceptable (2 errors):{Environment.NewLine}policy(1,2): /a: m. f.{Environment.NewLine}policy(1,2): /b: m. f."));
            Assert.That(new McpGuardPolicyException([one], cause).InnerException, Is.SameAs(cause));
            Assert.That(new McpGuardPolicyException([one]).Errors, Is.EqualTo(new[] { one }));
            Assert.That(() => new McpGuardPolicyException([]), Throws.ArgumentException.With.Message.Contains("at least one error").And.Property("ParamName").EqualTo("errors"));
            Assert.That(() => new McpGuardPolicyException(null!), Throws.ArgumentNullException);
        });
    }

    [Test]
    public void Read_WithoutSchemas_IsRefused() =>
        Assert.That(() => PolicyReader.Read("{}"u8.ToArray(), null, null!), Throws.ArgumentNullException.With.Property("ParamName").EqualTo("schemas"));

    [Test]
    public void Read_RelativeSourcePath_IsMadeAbsolute() =>
        Assert.That(PolicyReader.Read("{}"u8.ToArray(), "mcp-guard.json", FakeSchemas.Instance, PolicyTexts.Options).SourcePath, Is.EqualTo(Path.GetFullPath("mcp-guard.json")));

    [Test]
    public void Read_WithoutOptions_TakesTheUsersStateDirectory() =>
        Assert.That(PolicyReader.Read("{}"u8.ToArray(), null, FakeSchemas.Instance).StateDirectory, Is.EqualTo(GuardStateDirectory.Default()));

    [Test]
    public void Find_KeyThatTheSectionDoesNotList_IsAFaultOfTheReader()
    {
        var problems = new PolicyProblems(ReadOnlyMemory<byte>.Empty, null, hasText: false);
        SectionReader section = SectionReader.Open(Parse("{}"), PolicySection.Repeats, problems)!;
        Assert.That(() => section.Find("burst"), Throws.InvalidOperationException.With.Message.EqualTo("The reader asks section 'repeats' for 'burst', which the section does not list."));
    }

    private static PolicyNode Parse(string json)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(json);
        var problems = new PolicyProblems(utf8, null, hasText: true);
        PolicyNode root = PolicyParser.Parse(utf8, problems)!;
        problems.ThrowIfAny();
        return root;
    }

    private static IEnumerable<PolicyNode> All(PolicyNode node) => [node, .. node.Members.SelectMany(member => All(member.Value)), .. node.Items.SelectMany(All)];

    private static int Distance(string a, string b)
    {
        if (a.Length == 0 || b.Length == 0)
        {
            return a.Length + b.Length;
        }

        int best = Math.Min(Distance(a[..^1], b[..^1]) + (a[^1] == b[^1] ? 0 : 1), Math.Min(Distance(a[..^1], b), Distance(a, b[..^1])) + 1);
        return a.Length > 1 && b.Length > 1 && a[^1] == b[^2] && a[^2] == b[^1] ? Math.Min(best, Distance(a[..^2], b[..^2]) + 1) : best;
    }
}
