using System.Text;
using Mcp.Guard.Stages.Roots;

namespace Mcp.Guard.Tests.Stages.Roots;

[TestFixture]
internal sealed class PathNamesTests
{
    private static readonly string[] Whole = ["source", "sources", "destination", "destinations", "src", "dst", "dest", "cwd"];

    private static readonly string[] Endings =
    [
        "path", "paths", "file", "files", "filename", "filenames", "file_name", "file_names", "file-name", "dir", "dirs", "directory", "directories",
        "folder", "folders", "workdir", "_cwd",
    ];

    [Test]
    public void IsPathName_EveryWord_InAnyCaseAndWithADigit() => Assert.Multiple(() =>
    {
        foreach (string word in Whole.Concat(Endings))
        {
            Assert.That(IsPathName(word), Is.True, word);
            Assert.That(IsPathName(word.ToUpperInvariant()), Is.True, word);
            Assert.That(IsPathName(word + "_2"), Is.True, word);
        }

        foreach (string ending in Endings)
        {
            Assert.That(IsPathName("output" + ending), Is.True, ending);
            Assert.That(IsPathName("Output_" + ending.ToUpperInvariant() + "1"), Is.True, ending);
        }
    });

    [TestCase("")]
    [TestCase("_1")]
    [TestCase("profile")]
    [TestCase("userProfiles")]
    [TestCase("xpath")]
    [TestCase("nadir")]
    [TestCase("resource")]
    [TestCase("limit")]
    [TestCase("text")]
    [TestCase("p\u00E4th")]
    public void IsPathName_OtherName_False(string name) => Assert.That(IsPathName(name), Is.False);

    [Test]
    public void IsPathName_LongerThanAnyName_False() => Assert.That(IsPathName(new string('a', 61) + "path"), Is.False);

    private static bool IsPathName(string name) => PathNames.IsPathName(Encoding.UTF8.GetBytes(name));
}
