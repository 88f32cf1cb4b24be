using System.Text;
using System.Text.Json;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>The short way never says valid where the long way does not, and it does say valid for what tools are usually called with.</summary>
[TestFixture]
internal sealed class OnePassValidatorTests
{
    private const string Person = """{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":9},"age":{"type":"integer","minimum":0,"maximum":150},"kind":{"enum":["a",2,null,true]},"tags":{"type":"array","items":{"type":"string"},"maxItems":2},"id":{"anyOf":[{"type":"string","pattern":"^[a-z]+$"},{"type":"null"}]},"free":{}},"required":["name"],"additionalProperties":false}""";

    [TestCase(Person, """{"name":"Ann","age":7,"kind":"a","tags":["x","y"],"id":null,"free":{"p":[{"q":1e3}],"r":"\ud83d\ude00"}}""")]
    [TestCase(Person, """ { "kind" : null , "name" : "\u0041\n\t" } """)]
    [TestCase(Person, """{"age":1.50e2,"id":"abc","name":"é😀"}""")]
    [TestCase("""{"oneOf":[{"type":"integer"},{"properties":{"a":{"const":1}},"required":["a"]},{"properties":{"a":{"const":"1"}},"required":["a"]}],"not":{"required":["b"]}}""", """{"a":"1"}""")]
    [TestCase("""{"if":{"properties":{"k":{"const":"x"}}},"then":{"required":["y"]},"else":{"properties":{"y":false}}}""", """{"k":"z"}""")]
    [TestCase("""{"allOf":[{"$ref":"#/$defs/n"},{"minProperties":1}],"$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"}},"additionalProperties":{"type":"number","multipleOf":0.5}}}}""", """{"n":{"n":{"x":2.5}}}""")]
    [TestCase("""{"prefixItems":[{"type":"boolean"},{"const":false}],"items":{"maximum":3}}""", "[true,false,3,-1e2]")]
    [TestCase("true", "[]")]
    public void IsValid_UsualCall_IsDecidedInOnePass(string schema, string instance)
    {
        JsonSchemaProgram program = SchemaTestText.Compile(schema);
        byte[] text = Encoding.UTF8.GetBytes(instance);
        Assert.That(program.ValidateInTwoSteps(text).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));

        // Free names can share their bits by chance, in which case the other way decides: the seed is the process's own.
        Assert.That(program.IsValidInOnePass(text), Is.True);
    }

    [TestCase("""{"name":"Ann","name":"Bob"}""")]
    [TestCase("""{"name":"Ann","\u006eame":"Bob"}""")]
    [TestCase("""{"name":"Ann","free":{"a":1,"a":2}}""")]
    [TestCase("""{"name":"Ann","free":{"a":1,"\u0061":2}}""")]
    [TestCase("""{"name":"Ann","free":"\ud800"}""")]
    [TestCase("""{"name":"Ann","free":"\udc00\ud800"}""")]
    [TestCase("""{"name":"Ann","free":"\ud800\u0041"}""")]
    [TestCase("""{"name":"Ann","free":"\x"}""")]
    [TestCase("""{"name":"Ann","free":"\u00g0"}""")]
    [TestCase("""{"name":"Ann","free":01}""")]
    [TestCase("""{"name":"Ann","free":1e99999}""")]
    [TestCase("""{"name":"Ann","free":nul}""")]
    [TestCase("""{"name":"Ann","free":[1,]}""")]
    [TestCase("""{"name":"Ann",}""")]
    [TestCase("""{"name":"Ann"]""")]
    [TestCase("""{"name":"Ann"}}""")]
    [TestCase("""{"name":"Ann"} x""")]
    [TestCase("""{"name" "Ann"}""")]
    [TestCase("""{"name":"Ann"/**/}""")]
    [TestCase("""{"name":"Ann""")]
    [TestCase("""{"name":""")]
    [TestCase("")]
    [TestCase("""{"name":"A	n"}""")]
    [TestCase("""{"name":""}""")]
    [TestCase("""{"name":"\u0041bcdefghi\n"}""")]
    [TestCase("""{"age":1}""")]
    [TestCase("""{"name":"Ann","age":1.5}""")]
    [TestCase("""{"name":"Ann","age":151}""")]
    [TestCase("""{"name":"Ann","kind":"b"}""")]
    [TestCase("""{"name":"Ann","kind":false}""")]
    [TestCase("""{"name":"Ann","tags":["a","b","c"]}""")]
    [TestCase("""{"name":"Ann","id":"A"}""")]
    [TestCase("""{"name":"Ann","other":1}""")]
    [TestCase("[]")]
    public void IsValid_WrongOrMalformed_IsNeverValid(string instance)
    {
        JsonSchemaProgram program = SchemaTestText.Compile(Person);
        byte[] text = Encoding.UTF8.GetBytes(instance);
        Assert.That(program.IsValidInOnePass(text), Is.False);
        Assert.That(program.Validate(text).IsValid, Is.False);
        Assert.That(program.Validate(text).Outcome, Is.EqualTo(program.ValidateInTwoSteps(text).Outcome));
    }

    [TestCase("22C08022")]
    [TestCase("22EDA08022")]
    [TestCase("22F490808022")]
    public void IsValid_InvalidUtf8_IsNeverValid(string hex)
    {
        JsonSchemaProgram program = SchemaTestText.Compile("true");
        Assert.That(program.Validate(Convert.FromHexString(hex)).Outcome, Is.EqualTo(JsonSchemaOutcome.MalformedText));
    }

    /// <summary>A name of the schema that holds a quote or a backslash must not be found by comparing raw bytes.</summary>
    [Test]
    public void IsValid_NameWithQuote_IsReadAsJson()
    {
        JsonSchemaProgram program = SchemaTestText.Compile("""{"properties":{"a\"b":{"type":"integer"},"c\\":true}}""");
        Assert.That(program.Validate("""{"a"b":1}"""u8).Outcome, Is.EqualTo(JsonSchemaOutcome.MalformedText));
        Assert.That(program.Validate("""{"a\"b":"x"}"""u8).Outcome, Is.EqualTo(JsonSchemaOutcome.Invalid));
        Assert.That(program.Validate("""{"c\":1}"""u8).Outcome, Is.EqualTo(JsonSchemaOutcome.MalformedText));
    }

    [Test]
    public void IsValid_BeyondTheLimits_IsLeftToTheLongWay()
    {
        JsonSchemaProgram program = SchemaTestText.Compile("{}", new JsonSchemaOptions { MaxInstanceDepth = 3, MaxInstanceBytes = 40, MaxSteps = 10 });
        Assert.That(program.Validate("[[[1]]]"u8).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));
        Assert.That(program.Validate("[[[[1]]]]"u8).Outcome, Is.EqualTo(JsonSchemaOutcome.LimitExceeded));
        Assert.That(program.Validate(Encoding.UTF8.GetBytes(new string(' ', 40) + "1")).Outcome, Is.EqualTo(JsonSchemaOutcome.LimitExceeded));
    }

    /// <summary>Real arguments of real tools, damaged: both ways agree, whatever is made of them.</summary>
    [Test]
    public void Validate_DamagedArgumentsOfRealTools_BothWaysAgree()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(CorpusFile.RequireShared("../bench-ajv/cases.json")));
        var random = new Random(1_618);
        (JsonSchemaProgram Program, byte[] Text)[] pairs = [.. cases.RootElement.EnumerateArray().SelectMany(tool => tool.GetProperty("valid").EnumerateArray()
            .Select(arguments => (SchemaTestText.Compile(tool.GetProperty("schema").GetRawText()), JsonSerializer.SerializeToUtf8Bytes(arguments, JsonSerializerOptions.Default))))];
        int quick = pairs.Count(pair => pair.Program.IsValidInOnePass(pair.Text));
        Assert.That(quick, Is.GreaterThanOrEqualTo(pairs.Length - 3), "the cases that the figures are about");
        int valid = 0;
        for (int i = 0; i < SchemaFuzz.Count(20_000); i++)
        {
            (JsonSchemaProgram program, byte[] text) = pairs[random.Next(pairs.Length)];
            byte[] damaged = SchemaFuzz.Mutate(text, random);
            JsonSchemaOutcome outcome = program.Validate(damaged).Outcome;
            Assert.That(outcome, Is.EqualTo(program.ValidateInTwoSteps(damaged).Outcome), Encoding.UTF8.GetString(damaged));
            valid += outcome == JsonSchemaOutcome.Valid ? 1 : 0;
        }

        Assert.That(valid, Is.GreaterThan(SchemaFuzz.Count(20_000) / 40));
    }
}
