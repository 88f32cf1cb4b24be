using System.Diagnostics;
using System.Text;

namespace Mcp.Guard.Tests.Fuzz;

/// <summary>
/// Random input for every parser that hostile input reaches: seeds from our own corpus, changed at random. 1,000 inputs of each; 100,000 where MCP_GUARD_LONG=1 is set; for
/// as long as MCP_GUARD_FUZZ_MINUTES says, from MCP_GUARD_FUZZ_SEED. What it finds becomes a file of <c>tests/fuzz</c>, and stays.
/// </summary>
[TestFixture]
internal sealed class FuzzTests
{
    private const int Normal = 1_000;

    private static IEnumerable<FuzzTarget> Targets => FuzzTargets.All;

    [TestCaseSource(nameof(Targets))]
    public void RandomNoise_ChangedSeeds_HoldWhatTheTargetPromises(FuzzTarget target)
    {
        string[] seeds = [.. target.Seeds(), .. FuzzCorpus.Files(target)];
        Assert.That(seeds, Is.Not.Empty);
        foreach (string seed in seeds)
        {
            Try(target, seed);
        }

        Random random = Stages.Roots.RandomPaths.Seeded(20_261_124);
        var since = Stopwatch.StartNew();
        int done = 0;
        for (; Stages.Roots.RandomPaths.GoesOn(done, Normal, since); done++)
        {
            Try(target, FuzzMutation.Change(seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)], target, random));
        }

        TestContext.Out.WriteLine($"{target}: {seeds.Length} seeds, {done} changed ones in {since.Elapsed.TotalSeconds:0.0} s");
    }

    [TestCaseSource(nameof(Targets))]
    public void Corpus_OfATarget_HasFilesOfItsOwn(FuzzTarget target) => Assert.That(FuzzCorpus.Files(target), Is.Not.Empty);

    private static void Try(FuzzTarget target, string input)
    {
        try
        {
            target.Try(input);
        }
        catch (Exception fault)
        {
            byte[] bytes = target.IsOfBytes ? Encoding.Latin1.GetBytes(input) : Encoding.Unicode.GetBytes(input);
            Assert.Fail($"{target}: {fault.GetType().Name}: {fault.Message}\nthe input, {(target.IsOfBytes ? "its bytes" : "UTF-16")} in base64: {Convert.ToBase64String(bytes)}\n{fault.StackTrace}");
        }
    }
}
