using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

[TestFixture]
internal sealed class JsonSchemaProgramTests
{
    /// <summary>What a caller reads says which rule fails.</summary>
    [TestCase("false", "1", "not allowed here")]
    [TestCase("{\"type\":\"null\"}", "1", "must be null")]
    [TestCase("{\"type\":[\"boolean\",\"object\"]}", "1", "must be boolean or object")]
    [TestCase("{\"type\":[\"array\",\"string\"]}", "1", "must be array or string")]
    [TestCase("{\"type\":[\"string\",\"integer\"]}", "null", "must be string or integer")]
    [TestCase("{\"type\":\"number\"}", "null", "must be number")]
    [TestCase("{\"enum\":[1,2]}", "3", "must be one of the listed values")]
    [TestCase("{\"const\":1}", "3", "must be the one allowed value")]
    [TestCase("{\"required\":[\"a\"]}", "{}", "lacks the required property 'a'")]
    [TestCase("{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "lacks a property that another one requires")]
    [TestCase("{\"additionalProperties\":false}", "{\"a\":1}", "is not a property that is allowed here")]
    [TestCase("{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "is too long")]
    [TestCase("{\"minProperties\":1}", "{}", "has too few properties")]
    [TestCase("{\"maxProperties\":0}", "{\"a\":1}", "has too many properties")]
    [TestCase("{\"items\":false}", "[1]", "is an item beyond those allowed")]
    [TestCase("{\"minItems\":1}", "[]", "has too few items")]
    [TestCase("{\"maxItems\":0}", "[1]", "has too many items")]
    [TestCase("{\"uniqueItems\":true}", "[1,1]", "has items that are equal")]
    [TestCase("{\"contains\":{\"const\":1}}", "[2]", "lacks items of the kind required")]
    [TestCase("{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", "has too many items of one kind")]
    [TestCase("{\"minLength\":1}", "\"\"", "is too short")]
    [TestCase("{\"maxLength\":0}", "\"a\"", "is too long")]
    [TestCase("{\"pattern\":\"^b\"}", "\"a\"", "does not match the pattern")]
    [TestCase("{\"minimum\":1}", "0", "is too small")]
    [TestCase("{\"exclusiveMaximum\":1}", "1", "is too large")]
    [TestCase("{\"multipleOf\":2}", "1", "is not a multiple of the number given")]
    [TestCase("{\"anyOf\":[{\"const\":1},{\"const\":2}]}", "3", "matches none of the alternatives")]
    [TestCase("{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3", "must match exactly one of the alternatives")]
    [TestCase("{\"not\":{\"minimum\":1}}", "3", "matches what is excluded")]
    public void Validate_ValueThatFails_SaysWhichRule(string schema, string instance, string message) =>
        Assert.That(SchemaTestText.Compile(schema).Validate(Encoding.UTF8.GetBytes(instance), 10).Errors.Select(error => error.Message), Does.Contain(message));

    [TestCase(64, "")]
    [TestCase(65, "…")]
    public void Validate_LongNameMissing_IsCutAt64(int length, string end)
    {
        JsonSchemaProgram program = SchemaTestText.Compile("{\"required\":[\"" + new string('n', length) + "\"]}");
        Assert.That(program.Validate("{}"u8, 10).Errors.Single().Message, Is.EqualTo("lacks the required property '" + new string('n', 64) + end + "'"));
    }

    [TestCase("[\"a\"]", "[1]")]
    [TestCase("[\"a\"]", "{\"a\":1}")]
    [TestCase("\"1\"", "1")]
    [TestCase("[1]", "\"a\"")]
    [TestCase("{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}")]
    [TestCase("{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}")]
    [TestCase("[[1],2]", "[[1,2]]")]
    public void Validate_ConstOfAnotherValue_IsInvalid(string wanted, string instance)
    {
        Assert.That(SchemaTestText.Validate("{\"const\":" + wanted + "}", instance), Is.EqualTo(JsonSchemaOutcome.Invalid));
        Assert.That(SchemaTestText.Validate("{\"const\":" + wanted + "}", wanted), Is.EqualTo(JsonSchemaOutcome.Valid));
    }

    [Test]
    public void Default_Values_AreNotValid()
    {
        Assert.That(default(JsonSchemaResult).IsValid, Is.False);
        Assert.That(default(JsonSchemaOutcome), Is.Not.EqualTo(JsonSchemaOutcome.Valid));
        Assert.That(default(JsonSchemaCompilation).Program, Is.Null);
        Assert.That(default(JsonSchemaCompilation).Rejection, Is.Not.Null);
        Assert.That(SchemaTestText.Compile("true").Validate(default(JsonElement)).Outcome, Is.EqualTo(JsonSchemaOutcome.MalformedText));
    }

    [Test]
    public void Validate_Errors_NameThePlaceTheKeywordAndNoValue()
    {
        JsonSchemaProgram program = SchemaTestText.Compile(
            """{"type":"object","properties":{"a/b":{"type":"string","maxLength":3},"list":{"items":{"type":"integer"}}},"required":["a/b","need"],"additionalProperties":false}""");
        JsonSchemaResult result = program.Validate("""{"a/b":"secret-value","list":[1,"secret"],"extra":"secret"}"""u8, 10);
        Assert.That(result.Outcome, Is.EqualTo(JsonSchemaOutcome.Invalid));
        Assert.That(
            result.Errors.Select(error => $"{error.InstanceLocation} {error.KeywordLocation}"),
            Is.EquivalentTo(new[]
            {
                "/a~1b /properties/a~1b/maxLength", "/list/1 /properties/list/items/type", "/extra /additionalProperties", " /required",
            }));
        Assert.That(result.Errors.Select(error => error.Message), Has.None.Contains("secret"));
        Assert.That(result.Errors.Single(error => error.Keyword == "required").Message, Does.Contain("'need'"));
        Assert.That(program.Validate("""{"a/b":"secret-value","list":[1,"secret"],"extra":"secret"}"""u8, 2).Errors, Has.Count.EqualTo(2));
    }

    [Test]
    public void Validate_AlternativesFail_ReportsOneErrorForThem()
    {
        JsonSchemaProgram program = SchemaTestText.Compile("""{"anyOf":[{"type":"integer"},{"type":"object","required":["a"]}]}""");
        JsonSchemaError error = program.Validate("\"x\""u8, 10).Errors.Single();
        Assert.That(error.KeywordLocation, Is.EqualTo("/anyOf"));
    }

    [Test]
    public void Validate_ElementOfALargerDocument_ReadsOnlyItsOwnText()
    {
        using JsonDocument document = JsonDocument.Parse("""{"x":[1,{"a":"é\n"}],"y":2}""");
        JsonSchemaProgram program = SchemaTestText.Compile("""{"properties":{"a":{"const":"é\n"}},"required":["a"],"maxProperties":1}""");
        Assert.That(program.Validate(document.RootElement.GetProperty("x")[1]).IsValid, Is.True);
        Assert.That(program.Validate(document.RootElement).IsValid, Is.False);
    }

    [Test]
    public void Validate_ElementWithRepeatedName_IsMalformed()
    {
        using JsonDocument document = JsonDocument.Parse("""{"a":1,"a":2}""");
        Assert.That(SchemaTestText.Compile("true").Validate(document.RootElement).Outcome, Is.EqualTo(JsonSchemaOutcome.MalformedText));
    }

    [Test]
    [Category("Allocation")]
    public void Validate_ValidInstance_AllocatesNothing()
    {
        JsonSchemaProgram program = SchemaTestText.Compile(SchemaFuzz.Seeds[0]);
        byte[] text = """{"a":"\u0061bc","b":12}"""u8.ToArray();
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement element = document.RootElement;
        Assert.That(program.Validate(text).IsValid && program.Validate(element).IsValid, Is.True);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            program.Validate(text);
            program.Validate(element);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [TestCase("19.99", "0.01", true)]
    [TestCase("0.1", "0.3", false)]
    [TestCase("1e10000", "3", false)]
    [TestCase("3e10000", "3", true)]
    [TestCase("1e-10000", "1e-10000", true)]
    [TestCase("9007199254740993", "2", false)]
    [TestCase("123456789012345678901234567890", "123456789012345678901234567890", true)]
    [TestCase("123456789012345678901234567891", "123456789012345678901234567890", false)]
    [TestCase("0", "7", true)]
    [TestCase("-0.0", "7", true)]
    [TestCase("-14", "7", true)]
    public void Validate_MultipleOf_IsExact(string instance, string divisor, bool expected) =>
        Assert.That(SchemaTestText.Validate("{\"multipleOf\":" + divisor + "}", instance), Is.EqualTo(expected ? JsonSchemaOutcome.Valid : JsonSchemaOutcome.Invalid));

    [TestCase("9223372036854775807", "9223372036854775808", -1)]
    [TestCase("1e400", "1e401", -1)]
    [TestCase("-1e400", "1", -1)]
    [TestCase("100", "1e2", 0)]
    [TestCase("0.000", "-0e5", 0)]
    [TestCase("1.10", "1.1", 0)]
    [TestCase("999999999999999999.9", "1e18", -1)]
    [TestCase("12345678901234567890.5", "12345678901234567890.49", 1)]
    [TestCase("1e-5", "0.00001", 0)]
    public void Validate_Bounds_CompareExactly(string left, string right, int order)
    {
        Assert.That(SchemaTestText.Validate("{\"maximum\":" + right + "}", left) == JsonSchemaOutcome.Valid, Is.EqualTo(order <= 0));
        Assert.That(SchemaTestText.Validate("{\"minimum\":" + right + "}", left) == JsonSchemaOutcome.Valid, Is.EqualTo(order >= 0));
        Assert.That(SchemaTestText.Validate("{\"exclusiveMaximum\":" + right + "}", left) == JsonSchemaOutcome.Valid, Is.EqualTo(order < 0));
        Assert.That(SchemaTestText.Validate("{\"const\":" + right + "}", left) == JsonSchemaOutcome.Valid, Is.EqualTo(order == 0));
        Assert.That(SchemaTestText.Validate("{\"uniqueItems\":true}", "[" + left + "," + right + "]") == JsonSchemaOutcome.Invalid, Is.EqualTo(order == 0));
    }

    [TestCase("""{"$ref":"http://other.example/s"}""", RejectionCodes.Reference, "/$ref")]
    [TestCase("""{"properties":{"a":{"$ref":"#/nope"}}}""", RejectionCodes.Reference, "/properties/a/$ref")]
    [TestCase("""{"$schema":"https://example.com/d"}""", RejectionCodes.Dialect, "/$schema")]
    [TestCase("""{"$id":"https://json-schema.org/draft/2020-12/schema"}""", RejectionCodes.IdentifierTaken, "")]
    [TestCase("""{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}""", RejectionCodes.IdentifierTaken, "/$defs/b/$anchor")]
    [TestCase("""{"type":"strnig"}""", RejectionCodes.KeywordValue, "/type")]
    [TestCase("""{"items":[{}]}""", RejectionCodes.KeywordType, "/items")]
    [TestCase("""{"pattern":"("}""", RejectionCodes.Pattern, "/pattern")]
    [TestCase("""{"allOf":[{"$ref":"#"}]}""", RejectionCodes.ReferenceCycle, "")]
    [TestCase("""{"properties":{"a":1}}""", RejectionCodes.NotASchema, "/properties/a")]
    [TestCase("""{"a":1,"a":2}""", RejectionCodes.Text, "")]
    [TestCase("""{"maxLength":-1}""", RejectionCodes.KeywordValue, "/maxLength")]
    [TestCase("""{"maxLength":1.5}""", RejectionCodes.KeywordValue, "/maxLength")]
    public void Compile_Refused_SaysWhyAndWhere(string schema, string code, string location)
    {
        JsonSchemaRejection rejection = SchemaTestText.Reject(schema);
        Assert.That(rejection.Code, Is.EqualTo(code), rejection.Message);
        Assert.That(rejection.Location, Is.EqualTo(location));
    }

    [Test]
    public void Compile_RegisteredDocument_IsTheOnlyOneReached()
    {
        var options = new JsonSchemaOptions
        {
            Resources = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal)
            {
                ["https://host.example/types"] = """{"$defs":{"port":{"type":"integer","maximum":65535}}}"""u8.ToArray(),
            },
        };
        const string schema = """{"$ref":"https://host.example/types#/$defs/port"}""";
        Assert.That(SchemaTestText.Validate(schema, "80", options), Is.EqualTo(JsonSchemaOutcome.Valid));
        JsonSchemaError error = SchemaTestText.Compile(schema, options).Validate("70000"u8, 1).Errors.Single();
        Assert.That(error.KeywordLocation, Is.EqualTo("https://host.example/types#/$defs/port/maximum"));
        Assert.That(SchemaTestText.Reject(schema).Code, Is.EqualTo(RejectionCodes.Reference));
    }

    [Test]
    public void Compile_AnotherSchemasIdentifier_IsNotVisible()
    {
        SchemaTestText.Compile("""{"$id":"https://one.example/s","type":"string"}""");
        Assert.That(SchemaTestText.Reject("""{"$ref":"https://one.example/s"}""").Code, Is.EqualTo(RejectionCodes.Reference));
    }

    [TestCase("inputSchema", null, """{"type":"string"}""", McpSchemaCodes.Root)]
    [TestCase("inputSchema", null, "true", McpSchemaCodes.Root)]
    [TestCase("outputSchema", "2025-11-25", "true", McpSchemaCodes.Root)]
    [TestCase("outputSchema", "2026-07-28", "true", null)]
    [TestCase("outputSchema", null, """{"type":"array"}""", null)]
    [TestCase("outputSchema", "2025-06-18", """{"type":"array"}""", McpSchemaCodes.Root)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"Region"}}}""", null)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"properties":{"b":{"type":"integer","x-mcp-header":"Region"}}}}}""", null)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"x-mcp-header":{"type":"number"}}}""", null)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"a b"}}}""", McpSchemaCodes.Header)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"type":"string","x-mcp-header":7}}}""", McpSchemaCodes.Header)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"x-mcp-header":"A"}}}""", McpSchemaCodes.Header)]
    [TestCase("inputSchema", null, """{"type":"object","properties":{"a":{"items":{"type":"string","x-mcp-header":"A"}}}}""", McpSchemaCodes.Header)]
    [TestCase("inputSchema", null, """{"type":"object","$defs":{"a":{"type":"string","x-mcp-header":"A"}}}""", McpSchemaCodes.Header)]
    [TestCase("inputSchema", "2025-11-25", """{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}""", null)]
    public void Compile_ToolSchema_KeepsMcpRules(string kind, string? version, string schema, string? code)
    {
        McpSchemaKind where = kind == "inputSchema" ? McpSchemaKind.InputSchema : McpSchemaKind.OutputSchema;
        JsonSchemaCompilation compilation = McpSchemaCompiler.Compile(Encoding.UTF8.GetBytes(schema), where, version, JsonSchemaOptions.Default);
        Assert.That(compilation.Rejection?.Code, Is.EqualTo(code));
    }
}
