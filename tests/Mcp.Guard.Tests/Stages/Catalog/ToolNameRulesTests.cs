using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Catalog;

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
    [TestCase("\ud800", "Characters")]
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
    [TestCase("\ud800", "\ud800")]
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
