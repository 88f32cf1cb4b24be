using System.Text.Json;
using Mcp.Guard.Cli.Checks;

namespace Mcp.Guard.Tests.Cli;

/// <summary>Schemas over arguments that nothing satisfies, and those that look alike and are satisfied.</summary>
[TestFixture]
internal sealed class SchemaContradictionTests
{
    [TestCase("false")]
    [TestCase("""{ "type": "string" }""")]
    [TestCase("""{ "type": ["array", "null"] }""")]
    [TestCase("""{ "enum": [] }""")]
    [TestCase("""{ "minProperties": 3, "maxProperties": 2 }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": false } }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": { "type": "string", "minLength": 9, "maxLength": 3 } } }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": { "type": "integer", "minimum": 5, "maximum": 4 } } }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": { "const": 1, "enum": [2, 3] } } }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": { "const": "x", "type": "integer" } } }""")]
    [TestCase("""{ "required": ["a"], "additionalProperties": false }""")]
    [TestCase("""{ "not": {} }""")]
    [TestCase("""{ "allOf": [{}, { "type": "boolean" }] }""")]
    [TestCase("""{ "anyOf": [false, { "type": "boolean" }] }""")]
    public void OfArguments_NothingFits_IsFound(string schema) => Assert.That(Find(schema), Is.Not.Null);

    [TestCase("true")]
    [TestCase("{}")]
    [TestCase("""{ "type": ["object", "null"] }""")]
    [TestCase("""{ "properties": { "a": false } }""")]
    [TestCase("""{ "required": ["a"], "properties": { "a": { "minLength": 9, "maxLength": 3 } } }""")]
    [TestCase("""{ "required": ["a"], "additionalProperties": false, "patternProperties": { "a": {} } }""")]
    [TestCase("""{ "anyOf": [false, {}] }""")]
    [TestCase("""{ "$ref": "#/$defs/x", "type": "string", "$defs": { "x": {} } }""")]
    [TestCase("""{ "minLength": 9, "maxLength": 3 }""")]
    public void OfArguments_SomethingFits_IsNotFound(string schema) => Assert.That(Find(schema), Is.Null);

    private static string? Find(string schema)
    {
        using JsonDocument document = JsonDocument.Parse(schema);
        return SchemaContradiction.OfArguments(document.RootElement);
    }
}
