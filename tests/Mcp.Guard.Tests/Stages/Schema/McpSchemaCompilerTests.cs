using System.Text;
using Mcp.Guard.Stages.Schema;

namespace Mcp.Guard.Tests.Stages.Schema;

/// <summary>MCP's own rules on the schemas of a tool: roots by protocol version, and headers.</summary>
[TestFixture]
internal sealed class McpSchemaCompilerTests
{
    private const string Old = "2025-11-25";
    private const string New = "2026-07-28";

    [TestCase(SchemaUse.InputSchema, null, """{"type":"object"}""", null)]
    [TestCase(SchemaUse.InputSchema, Old, """{"properties":{}}""", null)]
    [TestCase(SchemaUse.InputSchema, New, """{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", null)]
    [TestCase(SchemaUse.InputSchema, New, """{"type":"array"}""", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.InputSchema, Old, """{"type":["object","null"]}""", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.InputSchema, New, "true", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.InputSchema, null, "false", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.OutputSchema, Old, """{"type":"array"}""", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.OutputSchema, "2025-06-18", "true", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.OutputSchema, New, """{"type":"array"}""", null)]
    [TestCase(SchemaUse.OutputSchema, null, """{"type":"string"}""", null)]
    [TestCase(SchemaUse.OutputSchema, "2031-01-01", "true", null)]
    [TestCase(SchemaUse.OutputSchema, "", "true", McpSchemaCodes.Root)]
    [TestCase(SchemaUse.Fragment, Old, "true", null)]
    public void Compile_Root_FollowsTheVersion(SchemaUse use, string? version, string schema, string? code) =>
        Assert.That(Compile(schema, use, version), code is null ? Has.Property("IsCompiled").True : Has.Property("Rejection").Property("Code").EqualTo(code));

    [TestCase("""{"a":{"type":"string","x-mcp-header":"Region"}}""", true)]
    [TestCase("""{"a":{"type":"object","properties":{"b":{"type":"integer","x-mcp-header":"X-B"}}}}""", true)]
    [TestCase("""{"a":{"type":"boolean","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"B"}}""", true)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":""}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":"a b"}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":"a:b"}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":"a\r\nX: 1"}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":"é"}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":1}}""", false)]
    [TestCase("""{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}""", false)]
    [TestCase("""{"a":{"type":"number","x-mcp-header":"A"}}""", false)]
    [TestCase("""{"a":{"type":"object","x-mcp-header":"A"}}""", false)]
    [TestCase("""{"a":{"type":"array","x-mcp-header":"A"}}""", false)]
    [TestCase("""{"a":{"type":"null","x-mcp-header":"A"}}""", false)]
    [TestCase("""{"a":{"x-mcp-header":"A"}}""", false)]
    [TestCase("""{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}""", false)]
    [TestCase("""{"a":{"anyOf":[{"type":"string","x-mcp-header":"A"}]}}""", false)]
    [TestCase("""{"a":{"additionalProperties":{"type":"string","x-mcp-header":"A"}}}""", false)]
    [TestCase("""{"a":{"type":"string","\u0078-mcp-header":"a b"}}""", false)]
    public void Compile_Header_KeepsTheRules(string properties, bool accepted)
    {
        string schema = "{\"type\":\"object\",\"properties\":" + properties + "}";
        SchemaCompilation newest = Compile(schema, SchemaUse.InputSchema, New);
        Assert.That(newest.IsCompiled ? "" : newest.Rejection.Code, Is.EqualTo(accepted ? "" : McpSchemaCodes.Header));
        Assert.That(Compile(schema, SchemaUse.InputSchema, null).IsCompiled, Is.EqualTo(accepted), "an unknown version is the newest");
        Assert.That(Compile(schema, SchemaUse.InputSchema, Old).IsCompiled, Is.True, "the annotation has no meaning there");
    }

    [TestCase("9007199254740991", true)]
    [TestCase("-9007199254740991", true)]
    [TestCase("9007199254740991.0", true)]
    [TestCase("9007199254740992", false)]
    [TestCase("-9007199254740992", false)]
    [TestCase("9007199254740993", false)]
    [TestCase("1e16", false)]
    [TestCase("123456789012345678901234567890", false)]
    [TestCase("null", true)]
    public void Validate_MirroredInteger_IsOneThatEveryReaderKeeps(string value, bool valid)
    {
        const string Schema = """{"type":"object","properties":{"q\"":{"type":"object","properties":{"n":{"type":["integer","null"],"x-mcp-header":"N"}}},"free":{"type":"integer"}}}""";
        string arguments = "{\"q\\\"\":{\"n\":" + value + "},\"free\":99999999999999999999}";
        Assert.That(Compile(Schema, SchemaUse.InputSchema, New).Schema!.Validate(Encoding.UTF8.GetBytes(arguments)), Is.EqualTo(valid ? SchemaOutcome.Valid : SchemaOutcome.Invalid));
        Assert.That(Compile(Schema, SchemaUse.InputSchema, Old).Schema!.Validate(Encoding.UTF8.GetBytes(arguments)), Is.EqualTo(SchemaOutcome.Valid));
        if (!valid)
        {
            var errors = new List<SchemaError>();
            Compile(Schema, SchemaUse.InputSchema, New).Schema!.Validate(Encoding.UTF8.GetBytes(arguments), errors);
            Assert.That(errors.Single().InstanceLocation, Is.EqualTo("/q\"/n"));
        }
    }

    private static SchemaCompilation Compile(string schema, SchemaUse use, string? version) =>
        new BuiltInSchemaCompiler().Compile(Encoding.UTF8.GetBytes(schema), new SchemaOptions { Use = use, ProtocolVersion = version });
}
