using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Json;

namespace Mcp.Guard.Tests.Json;

[TestFixture]
internal sealed class CanonicalJsonTests
{
    public static IEnumerable<TestCaseData> Pairs()
    {
        using JsonDocument document = CorpusFile.Open("consent-args.json");
        foreach (JsonElement pair in document.RootElement.GetProperty("pairs").EnumerateArray())
        {
            yield return new TestCaseData(JsonText.GetString(pair.GetProperty("a")), JsonText.GetString(pair.GetProperty("b")), pair.GetProperty("expect").GetString())
                .SetArgDisplayNames(pair.GetProperty("id").GetString()!);
        }
    }

    [TestCaseSource(nameof(Pairs))]
    public void TryCompute_CorpusPair_RelatesAsStated(string a, string b, string expect)
    {
        Span<byte> first = stackalloc byte[CanonicalJson.HashLength];
        Span<byte> second = stackalloc byte[CanonicalJson.HashLength];
        JsonFault faultA = ArgumentsDigest.TryCompute(Encoding.UTF8.GetBytes(a), first);
        JsonFault faultB = ArgumentsDigest.TryCompute(Encoding.UTF8.GetBytes(b), second);
        string relation = faultA != JsonFault.None || faultB != JsonFault.None ? "reject" : first.SequenceEqual(second) ? "same" : "different";
        Assert.That(relation, Is.EqualTo(expect));
    }

    // RFC 8785 appendix B, as the texts of the listed doubles with all their digits.
    [TestCase(0x0000000000000000UL, "0")]
    [TestCase(0x8000000000000000UL, "0")]
    [TestCase(0x0000000000000001UL, "5e-324")]
    [TestCase(0x8000000000000001UL, "-5e-324")]
    [TestCase(0x7fefffffffffffffUL, "1.7976931348623157e+308")]
    [TestCase(0xffefffffffffffffUL, "-1.7976931348623157e+308")]
    [TestCase(0x4340000000000000UL, "9007199254740992")]
    [TestCase(0xc340000000000000UL, "-9007199254740992")]
    [TestCase(0x4430000000000000UL, "295147905179352830000")]
    [TestCase(0x44b52d02c7e14af5UL, "9.999999999999997e+22")]
    [TestCase(0x44b52d02c7e14af6UL, "1e+23")]
    [TestCase(0x44b52d02c7e14af7UL, "1.0000000000000001e+23")]
    [TestCase(0x444b1ae4d6e2ef4eUL, "999999999999999700000")]
    [TestCase(0x444b1ae4d6e2ef4fUL, "999999999999999900000")]
    [TestCase(0x444b1ae4d6e2ef50UL, "1e+21")]
    [TestCase(0x3eb0c6f7a0b5ed8cUL, "9.999999999999997e-7")]
    [TestCase(0x3eb0c6f7a0b5ed8dUL, "0.000001")]
    [TestCase(0x41b3de4355555553UL, "333333333.3333332")]
    [TestCase(0x41b3de4355555554UL, "333333333.33333325")]
    [TestCase(0x41b3de4355555555UL, "333333333.3333333")]
    [TestCase(0x41b3de4355555556UL, "333333333.3333334")]
    [TestCase(0x41b3de4355555557UL, "333333333.33333343")]
    [TestCase(0xbecbf647612f3696UL, "-0.0000033333333333333333")]
    [TestCase(0x43143ff3c1cb0959UL, "1424953923781206.2")]
    public void TryWrite_ShortestTextOfDouble_IsRfc8785(ulong bits, string expected)
    {
        double value = BitConverter.UInt64BitsToDouble(bits);
        Assert.That(Canonical(value.ToString("R", CultureInfo.InvariantCulture)), Is.EqualTo(expected));
    }

    [TestCase("1", "1")]
    [TestCase("-1", "-1")]
    [TestCase("1.0", "1")]
    [TestCase("1e0", "1")]
    [TestCase("10E-1", "1")]
    [TestCase("0.000001e6", "1")]
    [TestCase("-0", "0")]
    [TestCase("-0.000e-99999999999999999999", "0")]
    [TestCase("0e99999999999999999999", "0")]
    [TestCase("1e20", "100000000000000000000")]
    [TestCase("1e21", "1e+21")]
    [TestCase("1E+000021", "1e+21")]
    [TestCase("123456789012345", "123456789012345")]
    [TestCase("1234567890123456", "1234567890123456")]
    [TestCase("0.1000", "0.1")]
    [TestCase("1.5e-7", "1.5e-7")]
    [TestCase("9007199254740993", "9007199254740993")]
    [TestCase("1152921504606846976", "1152921504606846976")]
    [TestCase("0.10000000000000001", "0.10000000000000001")]
    [TestCase("100000000000000000000000", "1e+23")]
    [TestCase("9007199254740993.0", "9007199254740993.0")]
    [TestCase("1234567890.1234567891", "1234567890.1234567891")]
    [TestCase("4.0e-324", "4.0e-324")]
    [TestCase("10e-401", "10e-401")]
    [TestCase("10e400", "10e400")]
    [TestCase("1e400", "1e400")]
    [TestCase("1e-400", "1e-400")]
    [TestCase("1e2147483648", "1e2147483648")]
    [TestCase("1e99999999999999999999999", "1e99999999999999999999999")]
    public void TryWrite_Number_PrintsOrKeepsItsLiteral(string literal, string expected) =>
        Assert.That(Canonical(literal), Is.EqualTo(expected));

    [TestCase("""{"b":1,"a":[ 1 , {"d":null,"c":true} ]}""", """{"a":[1,{"c":true,"d":null}],"b":1}""")]
    [TestCase("\"\\u0000\\u001f\\u0022\\/\\\\\\b\\f\\n\\r\\t\\u007f\\u2028\"", "\"\\u0000\\u001f\\\"/\\\\\\b\\f\\n\\r\\t\u007f\u2028\"")]
    [TestCase("""{"\u20ac":"Euro","\r":"CR","\ufb33":"Hebrew","1":"One","\ud83d\ude00":"Smile","\u0080":"C1","\u00f6":"o"}""",
        "{\"\\r\":\"CR\",\"1\":\"One\",\"\u0080\":\"C1\",\"ö\":\"o\",\"€\":\"Euro\",\"😀\":\"Smile\",\"\ufb33\":\"Hebrew\"}")]
    [TestCase("\"\\u0009\\u0019\\u001A\\u001b\"", "\"\\t\\u0019\\u001a\\u001b\"")]
    [TestCase("[]", "[]")]
    [TestCase("{}", "{}")]
    [TestCase(" null ", "null")]
    public void TryWrite_Value_IsCanonical(string json, string expected) => Assert.That(Canonical(json), Is.EqualTo(expected));

    [TestCase("", JsonFault.Malformed)]
    [TestCase(" ", JsonFault.Malformed)]
    [TestCase("{", JsonFault.Malformed)]
    [TestCase("{}{}", JsonFault.Malformed)]
    [TestCase("{} //", JsonFault.Malformed)]
    [TestCase("{/**/}", JsonFault.Malformed)]
    [TestCase("[1,]", JsonFault.Malformed)]
    [TestCase("{\"a\":1,}", JsonFault.Malformed)]
    [TestCase("\uFEFF{}", JsonFault.Malformed)]
    [TestCase("NaN", JsonFault.Malformed)]
    [TestCase("01", JsonFault.Malformed)]
    [TestCase("+1", JsonFault.Malformed)]
    [TestCase("1.", JsonFault.Malformed)]
    [TestCase("'a'", JsonFault.Malformed)]
    [TestCase("\"a\tb\"", JsonFault.Malformed)]
    [TestCase("\"\\x41\"", JsonFault.Malformed)]
    [TestCase("\u00a0{}", JsonFault.Malformed)]
    [TestCase("\"\\ud800\"", JsonFault.LoneSurrogate)]
    [TestCase("\"\\udc00\"", JsonFault.LoneSurrogate)]
    [TestCase("\"\\ud800\\ud800\"", JsonFault.LoneSurrogate)]
    [TestCase("\"\\ud800x\"", JsonFault.LoneSurrogate)]
    [TestCase("\"\\ud800\\n\"", JsonFault.LoneSurrogate)]
    [TestCase("{\"\\ud800\":1}", JsonFault.LoneSurrogate)]
    [TestCase("{\"a\":1,\"a\":1}", JsonFault.DuplicateName)]
    [TestCase("{\"\\u0061\":1,\"a\":1}", JsonFault.DuplicateName)]
    [TestCase("{\"\":1,\"\":1}", JsonFault.DuplicateName)]
    [TestCase("{\"😀\":1,\"\\ud83d\\ude00\":1}", JsonFault.DuplicateName)]
    [TestCase("[{\"x\":{\"/\":1,\"\\/\":1}}]", JsonFault.DuplicateName)]
    public void Check_TextThatParsersReadDifferently_IsRefused(string json, JsonFault expected) =>
        Assert.That(JsonAdmission.Check(Encoding.UTF8.GetBytes(json), JsonLimits.Message), Is.EqualTo(expected));

    [TestCase(new byte[] { (byte)'"', 0xFF, (byte)'"' })]
    [TestCase(new byte[] { (byte)'"', 0xC0, 0xAF, (byte)'"' })]
    [TestCase(new byte[] { (byte)'"', 0xED, 0xA0, 0x80, (byte)'"' })]
    [TestCase(new byte[] { (byte)'"', 0xF4, 0x90, 0x80, 0x80, (byte)'"' })]
    public void Check_InvalidUtf8_IsRefused(byte[] json) =>
        Assert.That(JsonAdmission.Check(json, JsonLimits.Message), Is.EqualTo(JsonFault.NotUtf8));

    [Test]
    public void Check_Depth_IsCountedInContainers()
    {
        JsonLimits limits = JsonLimits.Message with { MaxDepth = 3 };
        Assert.That(JsonAdmission.Check("[[[]]]"u8, limits), Is.EqualTo(JsonFault.None));
        Assert.That(JsonAdmission.Check("[[[[]]]]"u8, limits), Is.EqualTo(JsonFault.TooDeep));
        Assert.That(JsonAdmission.Check("[[[{\"a\":1}]]]"u8, limits), Is.EqualTo(JsonFault.TooDeep));
    }

    [Test]
    public void Check_ContainersBesideEachOther_AreNotDeeper() =>
        Assert.That(JsonAdmission.Check("[[],{},[],{}]"u8, JsonLimits.Message with { MaxDepth = 2 }), Is.EqualTo(JsonFault.None));

    [TestCase(4 * 1024 * 1024, JsonFault.None)]
    [TestCase(4 * 1024 * 1024 + 1, JsonFault.TooLarge)]
    public void Check_Message_HasUpTo4MiB(int length, JsonFault expected)
    {
        byte[] json = new byte[length];
        Array.Fill(json, (byte)'x');
        json[0] = json[^1] = (byte)'"';
        Assert.That(JsonAdmission.Check(json, JsonLimits.Message), Is.EqualTo(expected));
    }

    [TestCase(JsonFault.None, "admitted")]
    [TestCase(JsonFault.TooLarge, "too many")]
    [TestCase(JsonFault.NotUtf8, "UTF-8")]
    [TestCase(JsonFault.Malformed, "RFC 8259")]
    [TestCase(JsonFault.TooDeep, "deep")]
    [TestCase(JsonFault.DuplicateName, "twice")]
    [TestCase(JsonFault.LoneSurrogate, "surrogate")]
    [TestCase(JsonFault.NotJudged, "not judged")]
    [TestCase((JsonFault)99, "not judged")]
    public void Describe_Fault_NamesIt(JsonFault fault, string word) => Assert.That(JsonAdmission.Describe(fault), Does.Contain(word));

    [Test]
    public void Check_DepthBeyondCeiling_IsRefusedWhateverTheLimit()
    {
        byte[] deep = Encoding.UTF8.GetBytes(new string('[', 100_000) + new string(']', 100_000));
        Assert.That(JsonAdmission.Check(deep, new JsonLimits(int.MaxValue, int.MaxValue, int.MaxValue)), Is.EqualTo(JsonFault.TooDeep));
    }

    [Test]
    public void Check_MoreValuesOrBytesThanAllowed_IsRefused()
    {
        JsonLimits limits = new(10, 8, 3);
        Assert.That(JsonAdmission.Check("[1,2]"u8, limits), Is.EqualTo(JsonFault.None));
        Assert.That(JsonAdmission.Check("[1,2,3]"u8, limits), Is.EqualTo(JsonFault.TooLarge));
        Assert.That(JsonAdmission.Check("[1,      2]"u8, limits), Is.EqualTo(JsonFault.TooLarge));
        Assert.That(JsonAdmission.Check("1"u8, default), Is.EqualTo(JsonFault.TooLarge), "the default limits admit nothing");
    }

    [Test]
    public void TryHash_RefusedText_LeavesNoDigest()
    {
        byte[] hash = new byte[CanonicalJson.HashLength];
        Array.Fill(hash, (byte)1);
        Assert.That(CanonicalJson.TryHash(default, "{\"a\":1,\"a\":2}"u8, JsonLimits.Message, hash), Is.EqualTo(JsonFault.DuplicateName));
        Assert.That(hash, Is.All.EqualTo((byte)0));
    }

    [Test]
    public void TryHash_TextLongerThanItsBuffer_IsHashOfCanonicalText([Values(0, 1, 15, 1000, 1022, 1023, 1024, 1025, 5000, 100_000)] int length)
    {
        byte[] json = Encoding.UTF8.GetBytes($"{{\"z\":\"{new string('x', length)}\",\"a\":\"\\n{new string('y', length)}\",\"n\":{new string('9', length + 1)}}}");
        var written = new ArrayBufferWriter<byte>();
        byte[] hash = new byte[CanonicalJson.HashLength];
        Assert.That(CanonicalJson.TryWrite(json, JsonLimits.Message, written), Is.EqualTo(JsonFault.None));
        Assert.That(CanonicalJson.TryHash("d"u8, json, JsonLimits.Message, hash), Is.EqualTo(JsonFault.None));
        Assert.That(hash, Is.EqualTo(System.Security.Cryptography.SHA256.HashData([(byte)'d', .. written.WrittenSpan])));
    }

    [Test]
    public void TryHash_StringOfAnyLength_CountsEveryByte([Values(0, 1, 508, 509, 510, 511, 512, 513, 1_022, 5_000)] int length)
    {
        byte[] canonical = Encoding.UTF8.GetBytes($"{{\"a\":[\"\",\"{new string('x', length)}\"],\"b\":\"{new string('y', length)}\"}}");
        var written = new ArrayBufferWriter<byte>();
        byte[] hash = new byte[CanonicalJson.HashLength];
        Assert.That(CanonicalJson.TryWrite(canonical, JsonLimits.Message, written), Is.EqualTo(JsonFault.None));
        Assert.That(written.WrittenSpan.SequenceEqual(canonical), Is.True, "a canonical text is its own form");
        Assert.That(CanonicalJson.TryHash(default, canonical, JsonLimits.Message, hash), Is.EqualTo(JsonFault.None));
        Assert.That(hash, Is.EqualTo(System.Security.Cryptography.SHA256.HashData(canonical)));
        byte[] text = Encoding.UTF8.GetBytes($"\"{new string('x', length)}\"");
        CanonicalJson.TryHash(default, text, JsonLimits.Message, hash);
        Assert.That(hash, Is.EqualTo(System.Security.Cryptography.SHA256.HashData(text)));
    }

    [Test]
    [Category("Allocation")]
    public void TryHash_SmallText_AllocatesNothing()
    {
        byte[] hash = new byte[CanonicalJson.HashLength];
        var output = new ArrayBufferWriter<byte>(1024);
        string? refused = null;
        long before = 0;
        for (int i = 0; i < 100; i++)
        {
            // What a thread keeps is made in the first rounds.
            before = i == 50 ? GC.GetAllocatedBytesForCurrentThread() : before;
            output.ResetWrittenCount();
            if (CanonicalJson.TryHash("d"u8, """{"b":[1,"\n"],"a":1.50}"""u8, JsonLimits.Message, hash) != JsonFault.None
                || CanonicalJson.TryWrite("""{"b":[1,"\n"],"a":1.50}"""u8, JsonLimits.Message, output) != JsonFault.None)
            {
                refused = "refused";
            }
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(refused, Is.Null);
    }

    [Test]
    public void TryWrite_Element_IsAsItsText()
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.That(CanonicalJson.TryWrite(JsonElement.Parse("""{"b":1,"a":2}"""), JsonLimits.Message, output), Is.EqualTo(JsonFault.None));
        Assert.That(Encoding.UTF8.GetString(output.WrittenSpan), Is.EqualTo("""{"a":2,"b":1}"""));
        Assert.That(CanonicalJson.TryWrite(JsonElement.Parse("""{"a":1,"a":2}"""), JsonLimits.Message, output), Is.EqualTo(JsonFault.DuplicateName));
    }

    [Test]
    public void TryWrite_AbsentElement_IsNotJudged()
    {
        var output = new ArrayBufferWriter<byte>();
        byte[] hash = new byte[CanonicalJson.HashLength];
        Array.Fill(hash, (byte)1);
        Assert.That(CanonicalJson.TryWrite(default(JsonElement), JsonLimits.Message, output), Is.EqualTo(JsonFault.NotJudged));
        Assert.That(output.WrittenCount, Is.Zero);
        Assert.That(CanonicalJson.TryHash(default, default(JsonElement), JsonLimits.Message, hash), Is.EqualTo(JsonFault.NotJudged));
        Assert.That(hash, Is.All.EqualTo((byte)0));
    }

    [TestCase("""{"a":1,"\u0061":1}""", JsonFault.DuplicateName)]
    [TestCase("""["\ud800"]""", JsonFault.LoneSurrogate)]
    public void TryCompute_ElementThatIsRefused_HasNoDigest(string json, JsonFault expected)
    {
        Assert.That(ArgumentsDigest.TryCompute(JsonElement.Parse(json), out string? digest), Is.EqualTo(expected));
        Assert.That(digest, Is.Null);
    }

    [Test]
    public void Compute_Reading_IsTheDigestOfItsText([Values(0, 1, 2, 15, 16, 17, 24, 25, 40)] int members)
    {
        string json = "{" + string.Join(',', Enumerable.Range(0, members).Select(i => $"\"n{members - i}\":[{i},\"\\n{i}\"]")) + "}";
        Assert.That(JsonReading.TryRead(Encoding.UTF8.GetBytes(json), out JsonReading? reading), Is.EqualTo(Mcp.Guard.Stages.Schema.JsonSchema.JsonTextFault.None));
        Assert.That(ArgumentsDigest.TryCompute(JsonElement.Parse(json), out string? digest), Is.EqualTo(JsonFault.None));
        Assert.That(ArgumentsDigest.Compute(reading!.View, 0), Is.EqualTo(digest));
    }

    [Test]
    public void TryCompute_AbsentArguments_DifferFromEmptyObject()
    {
        Assert.That(ArgumentsDigest.TryCompute(default(JsonElement), out string? none), Is.EqualTo(JsonFault.None));
        using JsonDocument empty = JsonDocument.Parse("{}");
        Assert.That(ArgumentsDigest.TryCompute(empty.RootElement, out string? braces), Is.EqualTo(JsonFault.None));
        Assert.That(none, Is.Not.EqualTo(braces));
    }

    [Test]
    public void TryWrite_ManyMembers_AreOrderedAsUtf16()
    {
        Check.One(Properties.Config(), Prop.ForAll(Gen.ArrayOf(NameGen(), 60).ToArbitrary(), names =>
        {
            string[] distinct = [.. names.Distinct(StringComparer.Ordinal)];
            string json = "{" + string.Join(",", distinct.Select(name => $"{JsonSerializer.Serialize(name, Properties.StringInfo)}:1")) + "}";
            using JsonDocument canonical = JsonDocument.Parse(Canonical(json));
            return canonical.RootElement.EnumerateObject().Select(member => member.Name).SequenceEqual(distinct.Order(StringComparer.Ordinal));
        }));
    }

    [Test]
    public void TryWrite_AnyValue_IsIdempotentAndBlindToOrderAndSpace()
    {
        Check.One(Properties.Config(), Prop.ForAll(JsonGen(4).ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (value, seed) =>
        {
            string once = Canonical(value.Print(0));
            return once == Canonical(once) && once == Canonical(value.Print(seed));
        }));
    }

    [Test]
    public void TryWrite_AnyDouble_ReadsBackAsItself()
    {
        Check.One(Properties.Config(), Prop.ForAll(ArbMap.Default.GeneratorFor<ulong>().Select(BitConverter.UInt64BitsToDouble).Where(double.IsFinite).ToArbitrary(), value =>
        {
            string canonical = Canonical(value.ToString("R", CultureInfo.InvariantCulture));
            double back = double.Parse(canonical, NumberStyles.Float, CultureInfo.InvariantCulture);
            return back == value && Canonical(canonical) == canonical;
        }));
    }

    [Test]
    public void Check_AnyBytes_NeverThrows()
    {
        Gen<byte> bytes = Gen.Elements("{}[]\",:0123456789eE+-.\\ud8\u0000tfnulasr /\n"u8.ToArray()).Or(ArbMap.Default.GeneratorFor<byte>());
        Check.One(Properties.Config(), Prop.ForAll(bytes.ArrayOf().ToArbitrary(), text =>
        {
            JsonFault fault = JsonAdmission.Check(text, JsonLimits.Message);
            var output = new ArrayBufferWriter<byte>();
            return fault != JsonFault.NotJudged && CanonicalJson.TryWrite(text, JsonLimits.Message, output) == fault;
        }));
    }

    private static string Canonical(string json)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.That(CanonicalJson.TryWrite(Encoding.UTF8.GetBytes(json), JsonLimits.Message, output), Is.EqualTo(JsonFault.None), json);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static Gen<string> NameGen() =>
        Gen.Elements("", "a", "b", "aa", "\u007f", "\u00e9", "\u20ac", "\ud7ff", "\ue000", "\ufb33", "\uffff", "\U00010000", "\U0001F600", "\U0010FFFF", "\"", "\\", "\n", "\0")
            .ArrayOf(3).Select(string.Concat);

    private static Gen<JsonSample> JsonGen(int depth)
    {
        Gen<JsonSample> scalar = Gen.OneOf(
            Gen.Elements("0", "-1", "1.50", "1e3", "12345678901234567890", "1e400", "true", "false", "null").Select(JsonSample.Raw),
            NameGen().Select(JsonSample.Text));
        return depth == 0 ? scalar : Gen.OneOf(
            scalar,
            JsonGen(depth - 1).ArrayOf(3).Select(JsonSample.List),
            Gen.Zip(NameGen(), JsonGen(depth - 1)).ArrayOf(4).Select(JsonSample.Object));
    }
}
