using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>The pairs on which ajv answers otherwise, found by tests/differential/json-schema; a second implementation sides with the outcome that stands here.</summary>
[TestFixture]
internal sealed class AjvDisagreementTests
{
    public static IEnumerable<TestCaseData> Pairs()
    {
        using JsonDocument document = CorpusFile.Open("schema-ajv-disagreements.json");
        return [.. document.RootElement.EnumerateArray().Select(pair => new TestCaseData(
            pair.GetProperty("dialect").GetString(), pair.GetProperty("schema").GetRawText(), pair.GetProperty("instance").GetString(), pair.GetProperty("outcome").GetString())
            .SetArgDisplayNames(pair.GetProperty("name").GetString()!))];
    }

    [TestCaseSource(nameof(Pairs))]
    public void Validate_PairThatAjvDecidesOtherwise_FollowsTheSpecification(string dialect, string schema, string instance, string outcome) =>
        Assert.That(SchemaTestText.Validate(schema, instance, new JsonSchemaOptions { DefaultDialect = dialect }).ToString(), Is.EqualTo(outcome).IgnoreCase);
}
