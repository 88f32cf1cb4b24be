using System.Text.Json;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>Every scenario of consent.json has a test of its name.</summary>
[TestFixture]
internal sealed class ConsentCorpusTests
{
    // Those that need a gateway or a whole pipeline are tested there, under the same names.
    private static readonly Type[] Places = [typeof(ConsentScenarioTests), typeof(Tests.Gateway.GatewayTests)];

    [Test]
    public void Scenarios_OfTheCorpus_AllHaveATest()
    {
        using JsonDocument document = CorpusFile.Open("consent.json");
        string[] here = [.. Places.SelectMany(place => place.GetMethods()).Where(method => method.Name.StartsWith("Consent0", StringComparison.Ordinal)).Select(method => "consent-" + method.Name[7..10])];
        foreach (JsonElement scenario in document.RootElement.GetProperty("scenarios").EnumerateArray())
        {
            string id = scenario.GetProperty("id").GetString()!;
            Assert.That(here.Contains(id), $"{id} has no test");
        }
    }
}
