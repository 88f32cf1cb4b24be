namespace Mcp.Guard.Tests;

[TestFixture]
internal sealed class CorpusFileTests
{
    [TestCase("paths.json")]
    [TestCase("urls.json")]
    [TestCase("text.json")]
    [TestCase("secrets.json")]
    public void Open_OwnCorpus_StatesItsContract(string name)
    {
        using var document = CorpusFile.Open(name);
        Assert.That(document.RootElement.GetProperty("meta").GetProperty("contract").GetArrayLength(), Is.GreaterThan(0));
    }
}
