using System.IO.Compression;
using Mcp.Guard.Stages.PromptLimit;

namespace Mcp.Guard.Tests.Stages.PromptLimit;

[TestFixture]
internal sealed class TokenBoundTablesTests
{
    [Test]
    public void Instance_EveryFact_IsThatOfThePublishedVocabulary() =>
        Assert.That(TokenBoundTables.Instance.Bytes.SequenceEqual(O200kVocabulary.BuildTables(O200kVocabulary.Read())), Is.True);

    /// <summary>Writes the resource anew, beside the test's assembly, after a change of the tables' layout.</summary>
    [Test, Explicit]
    public void Build_Tables_WritesTheResource()
    {
        using FileStream file = File.Create(Path.Combine(AppContext.BaseDirectory, "o200k-bound.br"));
        using var packed = new BrotliStream(file, CompressionLevel.SmallestSize);
        packed.Write(O200kVocabulary.BuildTables(O200kVocabulary.Read()));
    }
}
