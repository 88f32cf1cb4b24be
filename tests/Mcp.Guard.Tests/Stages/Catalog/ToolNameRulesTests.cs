using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Catalog;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.Catalog;

[TestFixture]
internal sealed class ToolNameRulesTests
{
    [TestCase("read_file", "None")]
    [TestCase("read-file", "None")]
    [TestCase("a", "None")]
    [TestCase("v1.2", "None")]
    [TestCase("", "Length")]
    [TestCase("read file", "Characters")]
    [TestCase("read_file\n", "Characters")]
    [TestCase("../read_file", "Characters")]
    [TestCase("read..file", "Characters")]
    [TestCase("...", "Characters")]
    [TestCase("a/b", "Characters")]
    [TestCase("r\u0435ad_file", "Characters")]
    [TestCase("read_\uff46ile", "Characters")]
    [TestCase("read_file\u200b", "Characters")]
    [TestCase("mcp-guard_allow", "Reserved")]
    [TestCase("McpGuard.allow", "Reserved")]
    [TestCase("rncp_guard", "Reserved")]
    public void Judge_Name_IsAsStated(string name, string expect) => Assert.That(ToolNameRules.Judge(name).ToString(), Is.EqualTo(expect));

    [Test]
    public void Judge_Length_IsAtMost128()
    {
        Assert.That(ToolNameRules.Judge(new string('a', 128)), Is.EqualTo(ToolNameFault.None));
        Assert.That(ToolNameRules.Judge(new string('a', 129)), Is.EqualTo(ToolNameFault.Length));
        Assert.That(default(ToolNameVerdict).IsUsable, Is.False);
    }

    [TestCase("read_file", "Read_File", true)]
    [TestCase("read_file", "READ_FILE", true)]
    [TestCase("read_file", "read-file", true)]
    [TestCase("read_file", "readFile", true)]
    [TestCase("read_file", "read.file", true)]
    [TestCase("read_file", "read_fi1e", true)]
    [TestCase("read_file", "Read_Fi1e", true)]
    [TestCase("list_all", "Iist_all", true)]
    [TestCase("post", "p0st", true)]
    [TestCase("modern", "rnodem", true)]
    [TestCase("read_file", "r\u0435ad_file", true)]
    [TestCase("read_file", "read_\uff46ile", true)]
    [TestCase("read_file", "read_file\u200b", true)]
    [TestCase("read_file", "re\u00adad_file", true)]
    [TestCase("caf\u00e9", "cafe\u0301", true)]
    [TestCase("read_file", "read_file", false)]
    [TestCase("read_file", "read_files", false)]
    [TestCase("read_file", "write_file", false)]
    [TestCase("get_a", "get_b", false)]
    public void AreTwins_Names_IsAsStated(string left, string right, bool expect)
    {
        Assert.That(ToolNameRules.AreTwins(left, right), Is.EqualTo(expect));
        Assert.That(ToolNameRules.AreTwins(right, left), Is.EqualTo(expect));
    }

    // Hangul by arithmetic, marks in canonical order, a prototype that decomposes: NormalizationTest.txt and confusables.txt.
    [TestCase("\uD55C", "\u1112\u1161\u11AB")]
    [TestCase("a\u0323\u0307", "a\u0307\u0323")]
    [TestCase("\u1E69", "s\u0323\u0307")]
    [TestCase("\u212B", "A\u030A")]
    [TestCase("\u0430\u0440\u0440\u04C0\u0435", "apple")]
    [TestCase("\U0001D5BA\U0001D68B", "ab")]
    public void Skeleton_OfLookAlikes_IsTheSame(string left, string right) =>
        Assert.That(ConfusableSkeleton.Of(left), Is.EqualTo(ConfusableSkeleton.Of(right)));

    [Test]
    public void Skeleton_AnyText_NeverThrowsAndStaysAsItIs()
    {
        Check.One(Properties.Config(), Prop.ForAll(ArbMap.Default.GeneratorFor<char>().ArrayOf().ToArbitrary(), chars =>
        {
            string once = ConfusableSkeleton.Of(new string(chars));
            return ToolNameRules.Judge(new string(chars)) != ToolNameFault.NotJudged && (once.Length > ConfusableSkeleton.MaxLength || ConfusableSkeleton.Of(once) is not null);
        }));
    }

    [Test]
    public void JudgeAll_TwinsOfAnApprovedTool_OnlyTheApprovedOneStays()
    {
        ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(["Read_File", "read_file", "other", "read-file"], name => name == "read_file");
        Assert.That(verdicts, Is.EqualTo(new ToolNameVerdict[]
        {
            new(ToolNameFault.Twin, "read_file"), new(ToolNameFault.None), new(ToolNameFault.None), new(ToolNameFault.Twin, "read_file"),
        }));
    }

    [Test]
    public void JudgeAll_TwinsAtFirstSight_NoneStays()
    {
        ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(["send", "Send", "list"], _ => false);
        Assert.That(verdicts.Select(verdict => verdict.IsUsable), Is.EqualTo(new[] { false, false, true }));
        Assert.That(verdicts[0].Twin, Is.EqualTo("Send"));
        Assert.That(verdicts[1].Twin, Is.EqualTo("send"));
    }

    [Test]
    public void JudgeAll_NameTwice_IsRefusedEvenIfApproved()
    {
        ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(["send", "list", "send"], _ => true);
        Assert.That(verdicts.Select(verdict => verdict.Fault), Is.EqualTo(new[] { ToolNameFault.Duplicate, ToolNameFault.None, ToolNameFault.Duplicate }));
    }

    [Test]
    public void JudgeAll_ToolsOfRealServers_RefusesNone()
    {
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(CorpusFile.RequireShared("real-tools"), "*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string[] names = [.. document.RootElement.GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!)];
            ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(names, _ => false);
            for (int i = 0; i < names.Length; i++)
            {
                Assert.That(verdicts[i].IsUsable, $"{Path.GetFileName(file)}: {names[i]} {verdicts[i]}");
            }

            count += names.Length;
        }

        Assert.That(count, Is.GreaterThan(1000));
    }

    // Not as cases: an attribute cannot hold half of a pair.
    [Test]
    public void Judge_HalfOfAPair_IsRefusedAndHasASkeleton()
    {
        Assert.That(ToolNameRules.Judge("read_\ud800"), Is.EqualTo(ToolNameFault.Characters));
        Assert.That(ConfusableSkeleton.Of("\ud800x\udc00"), Is.EqualTo("\ud800x\udc00"));
    }

    [TestCase("mcp__read", "Reserved")]
    [TestCase("MCP__read", "Reserved")]
    [TestCase("host__x", "Reserved")]
    [TestCase("system__x", "Reserved")]
    [TestCase("guard__x", "Reserved")]
    [TestCase("mcp_read", "None")]
    [TestCase("hosts__x", "None")]
    [TestCase("xmcp__read", "None")]
    [TestCase("mcpguar", "None")]
    [TestCase("_._", "Characters")]
    [TestCase("a..", "Characters")]
    public void Judge_NameOfTheHost_IsReserved(string name, string expect) => Assert.That(ToolNameRules.Judge(name).ToString(), Is.EqualTo(expect));

    [Test]
    public void FlagsOf_Text_TellsBadNamesAndCollisions() => Assert.Multiple(() =>
    {
        Assert.That(ToolNameRules.FlagsOf("read_file", []), Is.EqualTo(ContentFlags.None));
        Assert.That(ToolNameRules.FlagsOf("", []), Is.EqualTo(ContentFlags.BadName));
        Assert.That(ToolNameRules.FlagsOf("read file", []), Is.EqualTo(ContentFlags.BadName));
        Assert.That(ToolNameRules.FlagsOf(new string('a', 128), []), Is.EqualTo(ContentFlags.None));
        Assert.That(ToolNameRules.FlagsOf(new string('a', 129), []), Is.EqualTo(ContentFlags.BadName));
        Assert.That(ToolNameRules.FlagsOf("mcp__x", []), Is.EqualTo(ContentFlags.NameCollision));
        Assert.That(ToolNameRules.FlagsOf("read_fi1e", ["list", "read_file"]), Is.EqualTo(ContentFlags.NameCollision));
        Assert.That(ToolNameRules.FlagsOf("list_all", ["Iist_all"]), Is.EqualTo(ContentFlags.NameCollision));
        Assert.That(ToolNameRules.FlagsOf("read", ["read"]), Is.EqualTo(ContentFlags.NameCollision), "a peer of the very same name is one too");
        Assert.That(ToolNameRules.FlagsOf("read", ["list", "write"]), Is.EqualTo(ContentFlags.None));
        Assert.That(ToolNameRules.FlagsOf("r\u0435ad", ["read"]), Is.EqualTo(ContentFlags.BadName | ContentFlags.NameCollision));
        Assert.That(ToolNameRules.FlagsOf(new string('b', 300), [new string('b', 256) + "other"]), Is.EqualTo(ContentFlags.BadName | ContentFlags.NameCollision), "the beginning is compared");
    });

    [Test]
    public void JudgeAll_SeveralApprovedTwins_NoneStays()
    {
        ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(["send", "Send", "SEND", "list"], name => name is "send" or "Send");
        Assert.That(verdicts.Select(verdict => (verdict.Fault, verdict.Twin)), Is.EqualTo(new[]
        {
            (ToolNameFault.Twin, "Send"), (ToolNameFault.Twin, "send"), (ToolNameFault.Twin, "send"), (ToolNameFault.None, (string?)null),
        }));
    }

    [Test]
    public void JudgeAll_TwinThatIsRefusedAnyway_KeepsItsFault()
    {
        ToolNameVerdict[] verdicts = ToolNameRules.JudgeAll(["read", "r\u0435ad", "mcp_guard", "McpGuard"], _ => false);
        Assert.That(verdicts.Select(verdict => verdict.Fault), Is.EqualTo(new[] { ToolNameFault.Twin, ToolNameFault.Characters, ToolNameFault.Reserved, ToolNameFault.Reserved }));
    }

    [TestCase("files", "files__read", true)]
    [TestCase("files", "files__", true)]
    [TestCase("files", "file__read", false)]
    [TestCase("files", "files_read", false)]
    [TestCase("files", "xfiles__read", false)]
    [TestCase("a_", "a-005f__b", true)]
    public void MayBeOf_Name_StartsWithTheServersPart(string server, string name, bool expect) => Assert.That(QualifiedToolName.MayBeOf(server, name), Is.EqualTo(expect));

    // The cut leaves nothing of the joint: such a name was not recognised, and a call by it was denied until the host listed.
    [Test]
    public void MayBeOf_LongServerId_HoldsForItsQualifiedName()
    {
        string server = "a-" + new string('s', 60);
        Assert.That(QualifiedToolName.MayBeOf(server, QualifiedToolName.Compose(server, "read")), Is.True);
        Assert.That(QualifiedToolName.MayBeOf("b-" + new string('s', 60), QualifiedToolName.Compose(server, "read")), Is.False);
        Assert.That(QualifiedToolName.MayBeOf(server, "read"), Is.False);
    }

    [Test]
    public void MayBeOf_AnyPair_HoldsForItsQualifiedName()
    {
        Gen<string> part = Gen.Elements("a", "b", "_", "__", "-", "--", ".", "x", "long-long_long.long", "0").NonEmptyListOf().Select(string.Concat);
        Check.One(Properties.Config(), Prop.ForAll(part.ToArbitrary(), part.ToArbitrary(), (server, tool) => QualifiedToolName.MayBeOf(server, QualifiedToolName.Compose(server, tool))));
    }

    [Test]
    public void Compose_LongPair_IsCutAtItsBoundAndEndsInADigest() => Assert.Multiple(() =>
    {
        Assert.That(QualifiedToolName.Compose("s", new string('t', 61)), Is.EqualTo("s__" + new string('t', 61)), "64 characters");
        Assert.That(QualifiedToolName.Compose("s", new string('t', 62)), Does.Match("^s__t{39}-x[0-9a-f]{20}$"));
        Assert.That(QualifiedToolName.Compose("s", new string('t', 38) + "-" + new string('t', 30)), Does.Match("^s__t{38}-x[0-9a-f]{20}$"), "a hyphen at the cut would join the mark");
        Assert.That(QualifiedToolName.Compose("s", new string('t', 62)), Is.EqualTo("s__ttttttttttttttttttttttttttttttttttttttt-x0032db703dadb09d8bf3"), "a person's grants name it");
    });

    [TestCase("_a", "b", "-005fa__b")]
    [TestCase("a_b", "c", "a_b__c")]
    [TestCase("a.b-c", "d", "a-002eb--c__d")]
    [TestCase("s", "\u00e9", "s__-00e9")]
    public void Compose_OddParts_AreEscaped(string server, string tool, string expect) => Assert.That(QualifiedToolName.Compose(server, tool), Is.EqualTo(expect));

    [Test]
    public void Skeleton_LongText_IsItself()
    {
        string most = new('\u0430', ConfusableSkeleton.MaxLength);
        Assert.That(ConfusableSkeleton.Of(most), Is.EqualTo(new string('a', ConfusableSkeleton.MaxLength)));
        Assert.That(ConfusableSkeleton.Of(most + "\u0430"), Is.EqualTo(most + "\u0430"));
    }

    // The first and last syllable, one without and one with a final consonant; what stands beside the block is no syllable.
    [TestCase("\uAC00", "\u1100\u1161")]
    [TestCase("\uAC01", "\u1100\u1161\u11A8")]
    [TestCase("\uD7A3", "\u1112\u1175\u11C2")]
    [TestCase("\uD788", "\u1112\u1175")]
    public void Skeleton_HangulSyllable_DecomposesByArithmetic(string syllable, string parts)
    {
        Assert.That(ConfusableSkeleton.Of(syllable), Is.EqualTo(ConfusableSkeleton.Of(parts)));
        Assert.That(ConfusableSkeleton.Of(syllable), Has.Length.GreaterThanOrEqualTo(parts.Length));
        Assert.That(ConfusableSkeleton.Of("\uABFF"), Has.Length.EqualTo(1));
        Assert.That(ConfusableSkeleton.Of("\uD7A4"), Has.Length.EqualTo(1));
    }

    [TestCase("a\u0301\u0316", "a\u0316\u0301", true)]
    [TestCase("a\u0301\u0300", "a\u0300\u0301", false, Description = "marks of one class keep their order")]
    [TestCase("a\u0316\u0301b\u0316", "a\u0301\u0316b\u0316", true)]
    [TestCase("\u0301\u0316", "\u0316\u0301", true)]
    public void Skeleton_Marks_StandInCanonicalOrder(string left, string right, bool same) =>
        Assert.That(ConfusableSkeleton.Of(left) == ConfusableSkeleton.Of(right), Is.EqualTo(same));

    // Each side of a bound or of a table: À is the first letter that decomposes, U+0300 the first mark, and starters stay where they stand.
    [TestCase("\u00C0", "A\u0300", true)]
    [TestCase("\"", "''", true)]
    [TestCase("a\u0300\u0316", "a\u0316\u0300", true)]
    [TestCase("a\u0315\u031B", "a\u031B\u0315", true)]
    [TestCase("a\u0301b", "ab\u0301", false)]
    [TestCase("a\u0301", "\u0301a", false)]
    [TestCase("a\u0301\u4E00", "a\u4E00\u0301", false)]
    [TestCase("a\u0301\u033D", "a\u033D\u0301", false)]
    public void Skeleton_BoundsOfTheTables_AreKept(string left, string right, bool same) =>
        Assert.That(ConfusableSkeleton.Of(left) == ConfusableSkeleton.Of(right), Is.EqualTo(same));

    [Test]
    public void Skeleton_CharacterOfTwoUnits_IsKept() => Assert.That(ConfusableSkeleton.Of("\U0001F600"), Is.EqualTo("\U0001F600"));

    [TestCase("list_all", "Iist_all", false)]
    [TestCase("READ_FILE", "read_fi1e", false)]
    [TestCase("cabc", "abc", true)]
    [TestCase("labc", "abc", true)]
    public void JudgeAll_NamesAlikeInOneWay_AreTwins(string left, string right, bool usable) =>
        Assert.That(ToolNameRules.JudgeAll([left, right], _ => false).Select(verdict => verdict.IsUsable), Is.All.EqualTo(usable));

    [Test]
    public void FlagsOf_TwoPeersAlike_CollidesAllTheSame() =>
        Assert.That(ToolNameRules.FlagsOf("read_fi1e", ["read_file", "Read_File"]), Is.EqualTo(ContentFlags.NameCollision));

    [TestCase("files", "read_file", "files__read_file")]
    [TestCase("my_files", "list", "my_files__list")]
    [TestCase("a", "_b", "a___b")]
    [TestCase("a_", "b", "a-005f__b")]
    [TestCase("a__b", "c", "a_-005fb__c")]
    [TestCase("a", "b-c.d", "a__b--c-002ed")]
    public void Compose_Pair_IsReadable(string server, string tool, string expect) => Assert.That(QualifiedToolName.Compose(server, tool), Is.EqualTo(expect));

    [Test]
    public void Compose_DifferentPairs_HaveDifferentNames()
    {
        Gen<string> part = Gen.Elements("a", "b", "_", "__", "-", "--", ".", "x", "-x", "0", "005f", "-005f", "long-long_long.long").NonEmptyListOf().Select(string.Concat);
        Check.One(Properties.Config(), Prop.ForAll(Gen.Zip(part, part).ToArbitrary(), Gen.Zip(part, part).ToArbitrary(), (one, other) =>
        {
            string left = QualifiedToolName.Compose(one.Item1, one.Item2);
            string right = QualifiedToolName.Compose(other.Item1, other.Item2);
            return left.Length <= QualifiedToolName.MaxLength
                && left.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
                && (string.Equals(left, right, StringComparison.Ordinal) == (one == other));
        }));
    }
}
