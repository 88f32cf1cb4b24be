using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.ResultSanitizing;

namespace Mcp.Guard.Tests.Stages.ResultSanitizing;

[TestFixture]
internal sealed class JsonSanitizerTests
{
    [TestCase("""{"a":[1,2.50,1e3,-0,true,null,"x"],"b":{"c":"d"}}""")]
    [TestCase("""{"a\"b":"\u00e9\n"}""")]
    [TestCase("[]")]
    [TestCase("\"x\"")]
    public void Sanitize_CleanValue_IsUnchanged(string json) => Assert.That(Sanitize(json).Utf8, Is.Null);

    [Test]
    public void Sanitize_HiddenTextInValuesAndNames_IsRemoved()
    {
        SanitizedJson result = Sanitize("""{"na\u200bme":"a\udb40\udc41b","n":[1.50,{"x":"\u001b[31mred"}]}""");
        Assert.That(Text(result), Is.EqualTo("""{"name":"ab","n":[1.50,{"x":"red"}]}"""));
        Assert.That(result.Flags, Is.EqualTo(ContentFlags.HiddenUnicode | ContentFlags.Terminal));
    }

    [Test]
    public void Sanitize_NamesThatBecomeEqual_AreToldApart()
    {
        SanitizedJson result = Sanitize("""{"a\u200b":1,"a":2,"a\u2060":3,"a~2":4}""");
        Assert.That(Text(result), Is.EqualTo("""{"a~3":1,"a":2,"a~4":3,"a~2":4}"""));
    }

    [Test]
    public void Sanitize_LoneSurrogateEscape_BecomesReplacementCharacter() =>
        Assert.That(Text(Sanitize("""{"a":"x\ud800y"}""")), Is.EqualTo("{\"a\":\"x\uFFFDy\"}"));

    [Test]
    public void Sanitize_BytesThatAreNoUtf8_AreReplaced()
    {
        byte[] json = [(byte)'"', (byte)'a', 0xFF, (byte)'b', (byte)'"'];
        SanitizedJson result = JsonSanitizer.Default.Sanitize(json, TextSurface.Result);
        Assert.That(Text(result), Is.EqualTo("\"a\uFFFDb\""));
    }

    [Test]
    public void Sanitize_TooDeep_IsRefusedByTheParser()
    {
        byte[] json = Encoding.UTF8.GetBytes(new string('[', 2000) + new string(']', 2000));
        Assert.That(() => JsonSanitizer.Default.Sanitize(json, TextSurface.Result), Throws.InstanceOf<JsonException>());
    }

    [Test]
    public void Sanitize_AnyValue_ChangesOnlyStrings()
    {
        Gen<string> text = HostileText.OfEverything.Generator.Where(candidate => !candidate.Any(char.IsSurrogate) || IsWellFormed(candidate));
        Arbitrary<JsonNode?> values = Gen.Sized(size => Value(text, Math.Min(size, 4))).ToArbitrary();
        Prop.ForAll(values, value =>
        {
            string json = value is null ? "null" : value.ToJsonString();
            SanitizedJson result = Sanitize(json);
            if (result.Utf8 is not { } changed)
            {
                return true;
            }

            using JsonDocument before = JsonDocument.Parse(json);
            using JsonDocument after = JsonDocument.Parse(changed);
            return SameShape(before.RootElement, after.RootElement) && JsonSanitizer.Default.Sanitize(changed, TextSurface.Result).Utf8 is null;
        }).Check(Properties.Config(1_000));
    }

    private static Gen<JsonNode?> Value(Gen<string> text, int depth)
    {
        Gen<JsonNode?> leaf = Gen.OneOf(
            text.Select(value => (JsonNode?)JsonValue.Create(value)),
            Gen.Choose(-1000, 1000).Select(value => (JsonNode?)JsonValue.Create(value / 8m)),
            Gen.Elements(true, false).Select(value => (JsonNode?)JsonValue.Create(value)),
            Gen.Constant((JsonNode?)null));
        if (depth == 0)
        {
            return leaf;
        }

        Gen<JsonNode?> inner = Value(text, depth - 1);
        Gen<JsonNode?> array = Gen.ArrayOf(inner, 3).Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())]));
        Gen<JsonNode?> @object = Gen.ArrayOf(text, 3).SelectMany(names => Gen.ArrayOf(inner, 3).Select(items =>
        {
            var value = new JsonObject();
            for (int i = 0; i < 3; i++)
            {
                value[names[i]] = items[i]?.DeepClone();
            }

            return (JsonNode?)value;
        }));
        return Gen.OneOf(leaf, array, @object);
    }

    private static bool SameShape(JsonElement before, JsonElement after)
    {
        if (before.ValueKind != after.ValueKind)
        {
            return false;
        }

        switch (before.ValueKind)
        {
            case JsonValueKind.Object:
                JsonProperty[] left = [.. before.EnumerateObject()];
                JsonProperty[] right = [.. after.EnumerateObject()];
                return left.Length == right.Length && right.Select(property => property.Name).Distinct(StringComparer.Ordinal).Count() == right.Length
                    && left.Zip(right).All(pair => SameShape(pair.First.Value, pair.Second.Value));
            case JsonValueKind.Array:
                return before.GetArrayLength() == after.GetArrayLength() && before.EnumerateArray().Zip(after.EnumerateArray()).All(pair => SameShape(pair.First, pair.Second));
            case JsonValueKind.String:
                return true;
            default:
                return before.GetRawText() == after.GetRawText();
        }
    }

    private static bool IsWellFormed(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                {
                    i++;
                    continue;
                }

                return false;
            }
        }

        return true;
    }

    private static SanitizedJson Sanitize(string json) => JsonSanitizer.Default.Sanitize(Encoding.UTF8.GetBytes(json), TextSurface.Result);

    private static string Text(SanitizedJson result) => Encoding.UTF8.GetString(result.Utf8!.Value.Span);
}
