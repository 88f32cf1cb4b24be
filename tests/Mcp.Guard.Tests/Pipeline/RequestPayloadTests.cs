using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Roots;
using Mcp.Guard.Stages.Schema;
using Mcp.Guard.Stages.ServerAdmission;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>The one reading of a request is held to what each judge reads for itself from the platform's element: same verdicts for whatever text.</summary>
[TestFixture]
internal sealed class RequestPayloadTests
{
    private static readonly RootSet Roots = RootSet.Create([new GuardRoot("/srv/project")], PathFlavor.Unix, links: null);

    private static readonly UrlAllowlist Urls = UrlAllowlist.Create(["https://api.example.com"]);

    private static readonly CompiledSchema[] Schemas =
    [
        Compile("""{"type":"object","properties":{"path":{"type":"string","maxLength":8},"limit":{"type":"integer"}},"additionalProperties":false}"""),
        Compile("""{"properties":{"a":{"minLength":2},"limit":{"maximum":3}},"required":["path"]}"""),
        Compile("""{"maxProperties":2,"propertyNames":{"pattern":"^[a-z]*$"}}"""),
        Compile("true"),
    ];

    [Test]
    public void TryReadRequest_AnyText_IsAcceptedAsTheElementsReaderAcceptsIt() => ForAll(static (text, payload, element) =>
        payload is null == element is null
        && (payload is null || (Raw(payload.Element) == Raw(element!.Value) && payload.Bytes == text.Length)));

    [Test]
    public void Element_OfAReading_LiesOverTheTextThatWasJudged()
    {
        MessageSnapshot.TryReadRequest("""{"name":"t","arguments":{"a":"b"}}"""u8, out RequestPayload payload, out _);
        payload.TryFindArguments();
        Assert.That(JsonMarshal.GetRawUtf8Value(payload.Arguments) == payload.ArgumentsUtf8, "the same bytes at the same place");
    }

    [Test]
    public void SetPayload_AnyText_FindsTargetArgumentsAndFaultsAsTheElementHasThem() => ForAll(static (text, payload, element) =>
    {
        if (payload is null || element is not { } root)
        {
            return true;
        }

        string? fault = FaultOf(root, out string? target, out JsonElement arguments);
        string? found = payload.IsObject ? payload.TextOf("name"u8) : null;
        bool isTaken = found is not null && payload.TryFindArguments();
        return (fault is null) == isTaken
            && (fault is not null || (found == target && Raw(payload.Arguments) == Raw(arguments) && payload.HasArguments == (arguments.ValueKind == JsonValueKind.Object)));
    });

    [Test]
    public void Arguments_AnyText_HaveTheSameDigestStringsAndSchemaVerdicts() => ForAll(static (text, payload, element) =>
    {
        if (payload is null || element is not { } root || !payload.IsObject || !payload.TryFindArguments() || FaultOf(root, out _, out JsonElement arguments) is not null)
        {
            return true;
        }

        string? own = ArgumentsDigest.TryCompute(arguments, out string? digest) == JsonFault.None ? digest : null;
        var visitor = new Recorder([]);
        bool walked = payload.TryWalkArguments(ref visitor);
        JsonElement instance = arguments.ValueKind == JsonValueKind.Undefined ? JsonElement.Parse("{}") : arguments;
        return payload.ComputeArgumentsDigest() == own
            && (walked ? visitor.Seen.SequenceEqual(ElementStrings.Of(arguments)) : Schemas[^1].Validate(instance) == SchemaOutcome.LimitExceeded)
            && Array.TrueForAll(Schemas, schema => payload.Validate(schema) == schema.Validate(instance))
            && SameErrors(payload, instance)
            && PathArgumentCheck.FindDenied(payload, PathArgumentRules.Default, Roots, null, true, null, null)?.Pointer
                == (arguments.ValueKind == JsonValueKind.Undefined ? null : PathArgumentCheck.FindDenied(arguments, PathArgumentRules.Default, Roots, null, true, null)?.Pointer)
            && UrlArgumentCheck.FindDenied(payload, Urls, [], out string pointer)?.Denial
                == (arguments.ValueKind == JsonValueKind.Undefined ? null : UrlArgumentCheck.FindDenied(arguments, Urls, [], out pointer)?.Denial);
    });

    [Test]
    public void MetaFilter_AnyText_LeavesTheSameOfBothForms() => ForAll(static (text, payload, element) =>
        payload is null || element is null
        || Raw(MetaFilter.ToServer(payload, settings: null).Element) == Raw(MetaFilter.ToServer(element.Value, settings: null)));

    [TestCase("""{"name":"t","arguments":{"path":"a","p\u0061th":"/etc"}}""")]
    [TestCase("""{"name":"t","n\u0061me":"other"}""")]
    [TestCase("""{"name":"t","arguments":{"x":"\ud83d"}}""")]
    [TestCase("""{"name":"t","arguments":{"x":1,}}""")]
    [TestCase("""{"name":"t"} {}""")]
    [TestCase("")]
    public void TryReadRequest_WhatReadersDisagreeAbout_IsRefused(string text)
    {
        Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes(text), out RequestPayload payload, out string fault), Is.False);
        Assert.That(fault, Is.Not.Empty);
        Assert.That(payload.IsMissing, Is.True);
    }

    [Test]
    public void TryReadRequest_NestedToTheLimit_IsReadAndOneDeeperRefused()
    {
        Assert.That(Read(64, out _), Is.True);
        Assert.That(Read(65, out string fault), Is.False);
        Assert.That(fault, Does.Contain("deeper than 64"));

        static bool Read(int depth, out string fault) =>
            MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth)), out _, out fault);
    }

    [Test]
    public void TryReadRequest_BeyondWhatIsReadOnce_IsJudgedByItsElement()
    {
        string digits = new('7', 1_500);
        Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes("""{"name":"t","arguments":{"path":"/etc/passwd","n":""" + digits + "}}"), out RequestPayload payload, out _), Is.True);
        Assert.That(payload.TextOf("name"u8), Is.EqualTo("t"));
        Assert.That(payload.TryFindArguments(), Is.True);
        Assert.That(payload.HasArguments, Is.True);
        Assert.That(payload.Validate(Compile("{}")), Is.EqualTo(SchemaOutcome.LimitExceeded));
        Assert.That(PathArgumentCheck.FindDenied(payload, PathArgumentRules.Default, Roots, null, true, null, null), Is.Not.Null, "what cannot be walked is denied");
        Assert.That(UrlArgumentCheck.FindDenied(payload, Urls, [], out _), Is.Not.Null);
    }

    [Test]
    public void Of_ElementThatIsNotStrict_IsJudgedByItsElement()
    {
        RequestPayload payload = RequestPayload.Of(JsonElement.Parse("""{"name":"t","arguments":{"path":"a","path":"/etc/passwd"}}"""));
        Assert.That(payload.TryFindArguments(), Is.True);
        Assert.That(payload.ComputeArgumentsDigest(), Is.Null);
        Assert.That(payload.Validate(Compile("{}")), Is.EqualTo(SchemaOutcome.MalformedText));
        Assert.That(PathArgumentCheck.FindDenied(payload, PathArgumentRules.Default, Roots, null, true, null, null), Is.Not.Null);
    }

    /// <summary>The case that 100,000 random texts found: nothing is walked, and every judge still says no.</summary>
    [Test]
    public void TryWalkArguments_NumberBeyondTheBounds_IsNotWalkedAndRefusedByEveryJudge()
    {
        Assert.That(MessageSnapshot.TryReadRequest("""{"name":"t","arguments":{"n":1e4567890,"path":"/etc/passwd","u":"https://evil.example/"}}"""u8, out RequestPayload payload, out _), Is.True);
        Assert.That(payload.TryFindArguments(), Is.True);
        var visitor = new Recorder([]);
        Assert.That(payload.TryWalkArguments(ref visitor), Is.False);
        Assert.That(payload.Validate(Compile("true")), Is.EqualTo(SchemaOutcome.LimitExceeded));
        Assert.That(PathArgumentCheck.FindDenied(payload, PathArgumentRules.Default, Roots, null, true, null, null), Is.Not.Null);
        Assert.That(UrlArgumentCheck.FindDenied(payload, Urls, [], out _), Is.Not.Null);
    }

    [Test]
    public void Element_AskedForByManyThreads_IsOne()
    {
        Assert.That(MessageSnapshot.TryReadRequest("""{"name":"t","arguments":{"a":1}}"""u8, out RequestPayload payload, out _), Is.True);
        Assert.That(payload.TryFindArguments(), Is.True);
        var arguments = new JsonElement[32];
        Parallel.For(0, arguments.Length, i => arguments[i] = payload.Arguments);
        Assert.That(arguments, Is.All.EqualTo(payload.Arguments));
        Assert.That(payload.Arguments.GetRawText(), Is.EqualTo("""{"a":1}"""));
    }

    /// <summary>The forms that a request's parameters may have.</summary>
    internal enum Form
    {
        /// <summary>Read once.</summary>
        Reading,

        /// <summary>An element that is not strict, as a host's stage may give one.</summary>
        Loose,

        /// <summary>One with a number that is beyond what is read once.</summary>
        Beyond,
    }

    [Test]
    public void Members_EachForm_AreReadAlike([Values] Form form)
    {
        RequestPayload payload = Make(form, """{"name":"t","n":5,"null":null,"_meta":{"m":"v","k":7},"arguments":{"a":"b"}""");
        Assert.Multiple(() =>
        {
            Assert.That((payload.IsMissing, payload.IsObject, payload.HasArguments), Is.EqualTo((false, true, false)), "before arguments were looked for");
            Assert.That(payload.Bytes, Is.EqualTo(payload.Element.GetRawText().Length).And.GreaterThan(70));
            Assert.That((payload.Has("name"u8), payload.Has("null"u8), payload.Has("absent"u8), payload.Has("a"u8)), Is.EqualTo((true, true, false, false)));
            Assert.That((payload.TextOf("name"u8), payload.TextOf("n"u8), payload.TextOf("null"u8), payload.TextOf("absent"u8)), Is.EqualTo(("t", (string?)null, (string?)null, (string?)null)));
            Assert.That((payload.MetaTextOf("m"u8), payload.MetaTextOf("k"u8), payload.MetaTextOf("absent"u8), payload.MetaTextOf("name"u8)), Is.EqualTo(("v", (string?)null, (string?)null, (string?)null)));
            Assert.That(payload.ArgumentsUtf8.Length, Is.Zero);
            Assert.That(payload.TryFindArguments(), Is.True);
            Assert.That((payload.HasArguments, payload.Arguments.GetRawText()), Is.EqualTo((true, """{"a":"b"}""")));
            Assert.That(Encoding.UTF8.GetString(payload.ArgumentsUtf8), Is.EqualTo("""{"a":"b"}"""));
        });
    }

    [TestCase("", true, false)]
    [TestCase(",\"arguments\":null", true, false)]
    [TestCase(",\"arguments\":{}", true, true)]
    [TestCase(",\"arguments\":[]", false, false)]
    [TestCase(",\"arguments\":\"a\"", false, false)]
    [TestCase(",\"arguments\":false", false, false)]
    public void TryFindArguments_EachForm_TakesAnObjectOrNone(string arguments, bool isTaken, bool isFound)
    {
        foreach (Form form in Enum.GetValues<Form>())
        {
            RequestPayload payload = Make(form, $"{{\"name\":\"t\"{arguments}");
            Assert.That((payload.TryFindArguments(), payload.HasArguments), Is.EqualTo((isTaken, isFound)), form.ToString());
            Assert.That(payload.Arguments.ValueKind, Is.EqualTo(isFound ? JsonValueKind.Object : JsonValueKind.Undefined), form.ToString());
            Assert.That(payload.ArgumentsUtf8.Length, Is.EqualTo(isFound ? 2 : 0), form.ToString());
            Assert.That(payload.Validate(Compile("""{"maxProperties":0}""")), Is.EqualTo(SchemaOutcome.Valid), "none count as {}");
            Assert.That(payload.Validate(Compile("""{"minProperties":1}""")), Is.EqualTo(SchemaOutcome.Invalid), form.ToString());
        }
    }

    [TestCase("[]")]
    [TestCase("""[{"m":"v"}]""")]
    [TestCase("""["_meta",{"m":"v"}]""")]
    [TestCase("\"_meta\"")]
    [TestCase("7")]
    public void Members_OfWhatIsNoObject_AreNone(string text)
    {
        Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes(text), out RequestPayload reading, out _), Is.True);
        foreach (RequestPayload payload in (RequestPayload[])[reading, RequestPayload.OfArguments(JsonElement.Parse(text))])
        {
            Assert.That((payload.IsObject, payload.IsMissing, payload.Has("_meta"u8), payload.MetaTextOf("m"u8)), Is.EqualTo((false, false, false, (string?)null)));
            Assert.That(payload.Bytes, Is.EqualTo(text.Length));
        }
    }

    [TestCase("""{"_meta":["m","v"]""")]
    [TestCase("""{"_meta":"m","x":{"m":"v"}""")]
    [TestCase("""{"_meta":null""")]
    [TestCase("""{"x":{"m":"v"}""")]
    public void MetaTextOf_MetaThatIsNoObject_IsNone(string text)
    {
        foreach (Form form in Enum.GetValues<Form>())
        {
            Assert.That(Make(form, text).MetaTextOf("m"u8), Is.Null, form.ToString());
        }
    }

    [Test]
    public void None_WithoutParameters_HasNothing()
    {
        RequestPayload none = RequestPayload.Of(default(JsonElement));
        Assert.That(none, Is.SameAs(RequestPayload.None));
        Assert.That((none.IsMissing, none.IsObject, none.HasArguments, none.Bytes), Is.EqualTo((true, false, false, 0)));
        Assert.That((none.Has("name"u8), none.MetaTextOf("m"u8), none.ArgumentsUtf8.Length), Is.EqualTo((false, (string?)null, 0)));
        Assert.That(none.Validate(Compile("{}")), Is.EqualTo(SchemaOutcome.Valid));
    }

    [Test]
    public void Validate_AnotherEngine_GetsTheElement([Values] Form form)
    {
        var engine = new ElementsOnly();
        RequestPayload payload = Make(form, """{"arguments":{"a":1}""");
        Assert.That(payload.Validate(engine), Is.EqualTo(SchemaOutcome.Valid));
        Assert.That(payload.TryFindArguments(), Is.True);
        Assert.That(payload.Validate(engine), Is.EqualTo(SchemaOutcome.Valid));
        Assert.That(engine.Seen, Is.EqualTo((string[])["{}", """{"a":1}"""]));
    }

    /// <summary>Ends an object's text that has no end in one of the forms.</summary>
    private static RequestPayload Make(Form form, string text)
    {
        RequestPayload payload;
        switch (form)
        {
            case Form.Loose:
                payload = RequestPayload.Of(JsonElement.Parse(text + ",\"twice\":{\"x\":1,\"x\":2}}"));
                break;
            case Form.Beyond:
                Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes($"{text},\"long\":{new string('7', 1_500)}}}"), out payload, out _), Is.True);
                break;
            default:
                Assert.That(MessageSnapshot.TryReadRequest(Encoding.UTF8.GetBytes(text + "}"), out payload, out _), Is.True);
                break;
        }

        return payload;
    }

    private sealed class ElementsOnly : CompiledSchema
    {
        public List<string> Seen { get; } = [];

        public override SchemaOutcome Validate(JsonElement instance, ICollection<SchemaError>? errors = null, int maxErrors = 5)
        {
            Seen.Add(instance.GetRawText());
            return SchemaOutcome.Valid;
        }

        public override SchemaOutcome Validate(ReadOnlySpan<byte> utf8, ICollection<SchemaError>? errors = null, int maxErrors = 5) => SchemaOutcome.MalformedText;
    }

    private static void ForAll(Func<byte[], RequestPayload?, JsonElement?, bool> holds)
    {
        int accepted = 0;
        int asked = 0;
        Check.One(Properties.Config(normal: 5_000), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            byte[] text = HostileParameters.Next(seed);
            asked++;
            bool isRead = MessageSnapshot.TryReadRequest(text, out RequestPayload payload, out _);
            bool isElement = MessageSnapshot.TryParse(text, MessageLimits.MaxRequestBytes, out JsonElement element, out _);
            accepted += isRead ? 1 : 0;
            return holds(text, isRead ? payload : null, isElement ? element : null) ? true : throw new AssertionException(Encoding.UTF8.GetString(text));
        }));
        Assert.That(accepted, Is.GreaterThan(asked / 10), "too few texts were JSON to tell anything");
    }

    /// <summary>What a reader of the element finds, as the guard read requests before they had a reading.</summary>
    private static string? FaultOf(JsonElement root, out string? target, out JsonElement arguments)
    {
        target = null;
        arguments = default;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return "params is not an object";
        }

        if (!root.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String)
        {
            return "no name";
        }

        target = name.GetString();
        if (root.TryGetProperty("arguments"u8, out JsonElement given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind != JsonValueKind.Object)
            {
                return "arguments";
            }

            arguments = given;
        }

        return null;
    }

    private static bool SameErrors(RequestPayload payload, JsonElement instance)
    {
        foreach (CompiledSchema schema in Schemas)
        {
            var own = new List<SchemaError>();
            var others = new List<SchemaError>();
            payload.Validate(schema, own);
            schema.Validate(instance, others);
            if (!own.SequenceEqual(others))
            {
                return false;
            }
        }

        return true;
    }

    private static string Raw(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? string.Empty : element.GetRawText();

    private static CompiledSchema Compile(string schema)
    {
        SchemaCompilation compilation = new BuiltInSchemaCompiler().Compile(Encoding.UTF8.GetBytes(schema), new SchemaOptions());
        Assert.That(compilation.IsCompiled, Is.True);
        return compilation.Schema!;
    }

    private readonly struct Recorder(List<(string Pointer, bool IsName, string Text)> seen) : IJsonStringVisitor
    {
        public List<(string Pointer, bool IsName, string Text)> Seen { get; } = seen;

        public bool Visit(in JsonStringPlace place)
        {
            Seen.Add((place.GetPointer(), place.IsName, place.GetText()));
            return true;
        }
    }
}
