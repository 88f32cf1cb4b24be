using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

[TestFixture]
internal sealed class StrictJsonParserTests
{
    private static JsonTextFault Parse(ReadOnlySpan<byte> text, out JsonTape tape)
    {
        tape = new JsonTape();
        return StrictJsonParser.Parse(text, JsonSchemaOptions.Default.InstanceLimits, tape);
    }

    [TestCase("{}", 1)]
    [TestCase(" [ ] ", 1)]
    [TestCase("{\"a\":[1,-2.5e+3,true,false,null,\"x\"],\"b\":{}}", 11)]
    [TestCase("\"\\u00e9\\ud83d\\ude00\\n\\/\"", 1)]
    [TestCase("-0", 1)]
    [TestCase("[[],[[]],{}]", 5)]
    public void Parse_Json_GivesItsTokens(string text, int tokens)
    {
        Assert.That(Parse(Encoding.UTF8.GetBytes(text), out JsonTape tape), Is.EqualTo(JsonTextFault.None));
        Assert.That(tape.Count, Is.EqualTo(tokens));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("{")]
    [TestCase("[1,]")]
    [TestCase("[,1]")]
    [TestCase("{,}")]
    [TestCase("{\"a\":1,}")]
    [TestCase("{\"a\"}")]
    [TestCase("{\"a\" 1}")]
    [TestCase("{\"a\":}")]
    [TestCase("{a:1}")]
    [TestCase("{1:1}")]
    [TestCase("[1 2]")]
    [TestCase("[1}")]
    [TestCase("{\"a\":1]")]
    [TestCase("1 2")]
    [TestCase("01")]
    [TestCase("-")]
    [TestCase("+1")]
    [TestCase(".5")]
    [TestCase("1.")]
    [TestCase("1e")]
    [TestCase("1e+")]
    [TestCase("0x10")]
    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("nul")]
    [TestCase("nulll")]
    [TestCase("truE")]
    [TestCase("'a'")]
    [TestCase("\"a")]
    [TestCase("\"\\x41\"")]
    [TestCase("\"\\u12\"")]
    [TestCase("\"\\u12g4\"")]
    [TestCase("\"\\")]
    [TestCase("\"\\\"")]
    [TestCase("\"a\nb\"")]
    [TestCase("\"a\u0000b\"")]
    [TestCase("\"\t\"")]
    [TestCase("{\"a\":1/*c*/}")]
    [TestCase("// c\n1")]
    [TestCase("\uFEFF1")]
    [TestCase("[1]\u00a0")]
    public void Parse_NotJson_IsSyntax(string text) =>
        Assert.That(Parse(Encoding.UTF8.GetBytes(text), out _), Is.EqualTo(JsonTextFault.Syntax));

    [TestCase("{\"a\":1,\"a\":2}")]
    [TestCase("{\"a\":1,\"\\u0061\":2}")]
    [TestCase("{\"\\u0061\":1,\"a\":2}")]
    [TestCase("[{\"o\":{\"b\":{},\"c\":[{\"k\":1,\"k\":2}]}}]")]
    [TestCase("{\"a\":{\"x\":1},\"b\":[{\"y\":2}],\"a\":0}")]
    [TestCase("{\"\":1,\"\":2}")]
    [TestCase("{\"\\ud83d\\ude00\":1,\"😀\":2}")]
    public void Parse_NameTwice_IsDuplicate(string text) =>
        Assert.That(Parse(Encoding.UTF8.GetBytes(text), out _), Is.EqualTo(JsonTextFault.DuplicateName));

    [Test]
    public void Parse_NameTwiceAtEveryDepthAndWidth_IsDuplicate([Values(0, 1, 7, 8, 9, 20, 60)] int depth, [Values(1, 2, 31, 32, 33, 200)] int width)
    {
        string members = string.Join(',', Enumerable.Range(0, width).Select(i => $"\"n{i}\":[{{\"n0\":{i}}}]"));
        string before = string.Concat(Enumerable.Repeat("{\"n0\":", depth));
        string after = new string('}', depth);
        Assert.That(Parse(Encoding.UTF8.GetBytes(before + "{" + members + "}" + after), out _), Is.EqualTo(depth + 3 > 64 ? JsonTextFault.TooDeep : JsonTextFault.None));
        Assert.That(Parse(Encoding.UTF8.GetBytes(before + "{" + members + ",\"n0\":1}" + after), out _), Is.EqualTo(JsonTextFault.DuplicateName));
    }

    [TestCase("\"\\ud800\"")]
    [TestCase("\"\\udc00\"")]
    [TestCase("\"\\ud800\\u0041\"")]
    [TestCase("\"\\ud800\\ud800\"")]
    [TestCase("\"\\udc00\\ud800\"")]
    [TestCase("\"\\ud800x\"")]
    [TestCase("{\"\\ud83d\":1}")]
    public void Parse_SurrogateAlone_IsRefused(string text) =>
        Assert.That(Parse(Encoding.UTF8.GetBytes(text), out _), Is.EqualTo(JsonTextFault.LoneSurrogate));

    [TestCase("22C08022")]
    [TestCase("22EDA08022")]
    [TestCase("22EDA0BDEDB88022")]
    [TestCase("22F4908080 22")]
    [TestCase("22E28222")]
    [TestCase("2280 22")]
    [TestCase("22FF22")]
    [TestCase("FFFE3100")]
    public void Parse_InvalidUtf8_IsRefused(string hex) =>
        Assert.That(Parse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), out _), Is.EqualTo(JsonTextFault.Encoding));

    [TestCase("1e10000", JsonTextFault.None)]
    [TestCase("1e10001", JsonTextFault.NumberTooLong)]
    [TestCase("1e-10001", JsonTextFault.NumberTooLong)]
    [TestCase("1e99999999999999999999", JsonTextFault.NumberTooLong)]
    public void Parse_Exponent_IsBounded(string text, JsonTextFault expected) =>
        Assert.That(Parse(Encoding.UTF8.GetBytes(text), out _), Is.EqualTo(expected));

    [Test]
    public void Parse_Limits_AreExact()
    {
        string thousand = new('9', 1_000);
        Assert.That(Parse(Encoding.UTF8.GetBytes(thousand), out _), Is.EqualTo(JsonTextFault.None));
        Assert.That(Parse(Encoding.UTF8.GetBytes(thousand + "9"), out _), Is.EqualTo(JsonTextFault.NumberTooLong));
        var tape = new JsonTape();
        var limits = new JsonTextLimits(10, 2, 3);
        Assert.That(StrictJsonParser.Parse("[1,2]"u8, limits, tape), Is.EqualTo(JsonTextFault.None));
        Assert.That(StrictJsonParser.Parse("[1,2,3]"u8, limits, tape), Is.EqualTo(JsonTextFault.TooManyTokens));
        Assert.That(StrictJsonParser.Parse("[[1]]"u8, limits, tape), Is.EqualTo(JsonTextFault.None));
        Assert.That(StrictJsonParser.Parse("[[[]]]"u8, limits, tape), Is.EqualTo(JsonTextFault.TooDeep));
        Assert.That(StrictJsonParser.Parse("\"12345678\""u8, limits, tape), Is.EqualTo(JsonTextFault.None));
        Assert.That(StrictJsonParser.Parse("\"123456789\""u8, limits, tape), Is.EqualTo(JsonTextFault.TooLarge));
    }

    [Test]
    public void Parse_AnyString_DecodesAsTheReferenceReader()
    {
        Arbitrary<string> texts = ArbMap.Default.ArbFor<string>();
        Prop.ForAll(texts, text =>
        {
            string source = JsonEncodedText.Encode(Clean(text)).ToString();
            byte[] bytes = Encoding.UTF8.GetBytes("\"" + source + "\"");
            bool read = Parse(bytes, out JsonTape tape) == JsonTextFault.None;
            var view = new JsonView(bytes, tape);
            return read && Encoding.UTF8.GetString(view.Bytes(view.Tokens[0])) == Clean(text);
        }).Check(SchemaFuzz.Config);
    }

    /// <summary>What the reference reader refuses, this one refuses too, on arbitrary and on slightly damaged texts.</summary>
    [Test]
    public void Parse_DamagedJson_AcceptsNothingTheReferenceReaderRefuses()
    {
        var random = new Random(20_261_123);
        byte[][] seeds = [.. SchemaFuzz.Seeds.Select(Encoding.UTF8.GetBytes)];
        var tape = new JsonTape();
        for (int i = 0; i < SchemaFuzz.Count(20_000); i++)
        {
            byte[] text = SchemaFuzz.Mutate(seeds[random.Next(seeds.Length)], random);
            JsonTextFault fault = StrictJsonParser.Parse(text, JsonSchemaOptions.Default.InstanceLimits, tape);
            if (fault == JsonTextFault.None)
            {
                using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
                Assert.That(document.RootElement.ValueKind, Is.Not.EqualTo(JsonValueKind.Undefined));
            }
            else if (fault == JsonTextFault.Syntax)
            {
                Assert.That(() => JsonDocument.Parse(text).Dispose(), Throws.InstanceOf<JsonException>(), Encoding.UTF8.GetString(text));
            }
        }
    }

    private static string Clean(string? text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
}
