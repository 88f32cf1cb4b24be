using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Pipeline;

/// <summary>What is taken of a message, and what is refused as a value that readers do not agree about.</summary>
[TestFixture]
internal sealed class MessageSnapshotTests
{
    [TestCase("""{"a":1}""")]
    [TestCase("[]")]
    [TestCase("\"text\"")]
    [TestCase("""{"a":"ud83d","b":"u"}""", Description = "no escape")]
    [TestCase("""{"a":"\ud83d\ude00\uDBFF\uDFFF","b":"\ud800\udc00"}""", Description = "whole pairs")]
    [TestCase("""["\ud83d\ude00\n","\\ud83d"," \\\\ud83d","\u0041\u00e9\uD7FF\uE000"]""", Description = "backslashes before what is no escape, and units beside the halves")]
    public void TryParse_AcceptableText_IsTheValueItself(string text)
    {
        Assert.That(MessageSnapshot.TryParse(Encoding.UTF8.GetBytes(text), text.Length, out JsonElement payload, out string fault), Is.True, fault);
        Assert.That(payload.GetRawText(), Is.EqualTo(text), "as many bytes as there may be");
        Assert.That(fault, Is.Empty);
    }

    [TestCase("""{"a":1,"a":2}""", "duplicate keys")]
    [TestCase("""{"a":1,"\u0061":2}""", "duplicate keys")]
    [TestCase("[1,]", "malformed")]
    [TestCase("""{"a":1,}""", "malformed")]
    [TestCase("[1/* */]", "malformed")]
    [TestCase("[1]//", "malformed")]
    [TestCase("", "malformed")]
    [TestCase("""["\""", "malformed")]
    [TestCase("""["\u""", "malformed")]
    [TestCase("""["\u004""", "malformed")]
    [TestCase("""["\u0041""", "malformed")]
    public void TryParse_WhatIsNotStrict_IsRefused(string text, string fault) => AssertRefused(text, fault);

    [TestCase("""["\ud800"]""")]
    [TestCase("""["\udbff"]""")]
    [TestCase("""["\udc00"]""")]
    [TestCase("""["\udfff"]""")]
    [TestCase("""["\uD800"]""")]
    [TestCase("""["\uDBFF"]""")]
    [TestCase("""["\uDC00"]""")]
    [TestCase("""["\uDFFF"]""")]
    [TestCase("""["\uda00"]""")]
    [TestCase("""["\uDA00"]""")]
    [TestCase("""["\ud900"]""")]
    [TestCase("""["\ud83dx\ude00"]""", Description = "a text between the halves")]
    [TestCase("""["\ud83d","\ude00"]""", Description = "halves in two strings")]
    [TestCase("""["\ud83d\n\ude00"]""", Description = "an escape between the halves")]
    [TestCase("""["\ud83d\n"]""")]
    [TestCase("""["\ude00\ud83d"]""", Description = "the wrong way round")]
    [TestCase("""["\ud83d\ud83d\ude00"]""")]
    [TestCase("""["\ud83d\u0041"]""")]
    [TestCase("""{"\ud83d":1}""")]
    [TestCase("""["\ud83d\""", Description = "cut after a half")]
    public void TryParse_HalfOfASurrogatePair_IsRefused(string text) => AssertRefused(text, "half of a surrogate pair");

    [Test]
    public void TryParse_NoUtf8_IsRefused()
    {
        Assert.That(MessageSnapshot.TryParse([(byte)'"', 0xC0, 0x80, (byte)'"'], 100, out JsonElement payload, out string fault), Is.False);
        Assert.That((fault, payload.ValueKind), Is.EqualTo(("the value is not UTF-8", JsonValueKind.Undefined)));
    }

    [Test]
    public void TryParse_OneByteTooMany_IsRefused()
    {
        Assert.That(MessageSnapshot.TryParse("[1234]"u8, 5, out JsonElement payload, out string fault), Is.False);
        Assert.That((fault, payload.ValueKind), Is.EqualTo(("the value has 6 bytes, more than 5", JsonValueKind.Undefined)));
    }

    [Test]
    public void TryTake_NoNode_IsNoValue()
    {
        Assert.That(MessageSnapshot.TryTake(null, 10, out JsonElement payload, out string fault), Is.True);
        Assert.That((payload.ValueKind, fault), Is.EqualTo((JsonValueKind.Undefined, string.Empty)));
        Assert.That(MessageSnapshot.TryTakeRequest(null, out RequestPayload request, out fault), Is.True);
        Assert.That((request.IsMissing, fault), Is.EqualTo((true, string.Empty)));
    }

    [Test]
    public void TryTake_NodeThatIsChangedAfterwards_HasNoEffect()
    {
        JsonNode node = JsonNode.Parse("""{"name":"t","arguments":{"path":"a"}}""")!;
        Assert.That(MessageSnapshot.TryTake(node, 100, out JsonElement payload, out string fault), Is.True);
        Assert.That(fault, Is.Empty);
        Assert.That(MessageSnapshot.TryTakeRequest(node, out RequestPayload request, out fault), Is.True);
        Assert.That(fault, Is.Empty);
        node["arguments"]!["path"] = "/etc/passwd";
        Assert.That(MessageSnapshot.TryTake(node, 100, out _, out _), Is.True, "and what is taken later does not overwrite it");
        Assert.That((string[])[payload.GetRawText(), request.Element.GetRawText()], Has.All.EqualTo("""{"name":"t","arguments":{"path":"a"}}"""));
    }

    [Test]
    public void TryTake_BeyondItsBytes_IsRefused()
    {
        Assert.That(MessageSnapshot.TryTake(JsonValue.Create(new string('a', 98)), 100, out _, out _), Is.True);
        Assert.That(MessageSnapshot.TryTake(JsonValue.Create(new string('a', 99)), 100, out JsonElement payload, out string fault), Is.False);
        Assert.That((fault, payload.ValueKind), Is.EqualTo(("the value has 101 bytes, more than 100", JsonValueKind.Undefined)));
    }

    [Test]
    public void TryTakeRequest_BeyondItsBytes_IsRefused()
    {
        Assert.That(MessageSnapshot.TryTakeRequest(JsonValue.Create(new string('a', MessageLimits.MaxRequestBytes - 2)), out _, out _), Is.True);
        Assert.That(MessageSnapshot.TryTakeRequest(JsonValue.Create(new string('a', MessageLimits.MaxRequestBytes - 1)), out RequestPayload payload, out string fault), Is.False);
        Assert.That(fault, Does.Contain("1048577 bytes"));
        Assert.That(payload.IsMissing, Is.True);
    }

    [TestCase(64, null)]
    [TestCase(65, "deeper than 64")]
    [TestCase(66, "too deep")]
    [TestCase(200, "too deep")]
    public void TryTake_NestedNode_IsTakenToTheLimit(int depth, string? fault)
    {
        JsonNode node = new JsonArray();
        for (int i = 1; i < depth; i++)
        {
            node = new JsonArray(node);
        }

        foreach (bool isRequest in (bool[])[false, true])
        {
            Assert.That(Take(node, isRequest, out string found), Is.EqualTo(fault is null));
            Assert.That(found, fault is null ? Is.Empty : Does.Contain(fault));
            Assert.That(Take(JsonNode.Parse("""{"a":1}""")!, isRequest, out _), Is.True, "nothing of it is left for the next");
        }
    }

    [TestCase(typeof(JsonException))]
    [TestCase(typeof(InvalidOperationException))]
    [TestCase(typeof(ArgumentException))]
    [TestCase(typeof(ArgumentOutOfRangeException))]
    [TestCase(typeof(NotSupportedException))]
    public void TryTake_NodeThatCannotBeWritten_IsRefusedAndLeavesNothing(Type kind)
    {
        foreach (bool isRequest in (bool[])[false, true])
        {
            Assert.That(Take(Failing(kind), isRequest, out string fault), Is.False);
            Assert.That(fault, Is.EqualTo("the value cannot be written as JSON (too deep, or text that is no Unicode)"));
            Assert.That(MessageSnapshot.TryTake(JsonNode.Parse("[1]"), 10, out JsonElement next, out _), Is.True);
            Assert.That(next.GetRawText(), Is.EqualTo("[1]"));
        }
    }

    [TestCase(typeof(IOException))]
    [TestCase(typeof(OperationCanceledException))]
    public void TryTake_NodeWhoseOwnCodeFails_HidesNoOtherFault(Type kind)
    {
        foreach (bool isRequest in (bool[])[false, true])
        {
            Assert.That(() => Take(Failing(kind), isRequest, out _), Throws.InstanceOf(kind));
            Assert.That(Take(JsonNode.Parse("[1]")!, isRequest, out _), Is.True);
        }
    }

    [Test]
    public void TryTake_NodeWhoseOwnCodeTakesAnother_MixesNeither()
    {
        string? inner = null;
        JsonNode node = new JsonArray("before", Own(writer =>
        {
            Assert.That(MessageSnapshot.TryTake(JsonNode.Parse("""{"inner":true}"""), 100, out JsonElement taken, out _), Is.True);
            inner = taken.GetRawText();
            writer.WriteStringValue("own");
        }));
        Assert.That(MessageSnapshot.TryTake(node, 100, out JsonElement payload, out _), Is.True);
        Assert.That((inner, payload.GetRawText()), Is.EqualTo(("""{"inner":true}""", """["before","own"]""")));
    }

    [TestCase("taken")]
    [TestCase("request")]
    [TestCase("refused")]
    [Category("Allocation")]
    public void TryTake_SmallMessage_IsWrittenWithWhatTheThreadKeeps(string before)
    {
        // The buffer and the writer of a thread are over 1024 bytes; the value itself is a few hundred.
        Assert.That(Allocated(before, "a"), Is.LessThan(1024));
    }

    [Test]
    [Category("Allocation")]
    public void TryTake_LargeMessage_LeavesItsBufferToNobody()
    {
        Assert.That(Allocated("taken", new string('a', 200_000)), Is.GreaterThan(1024));
    }

    /// <summary>What taking a small message allocates after another was taken on the same thread.</summary>
    private static long Allocated(string before, string text)
    {
        JsonNode earlier = before == "refused" ? Failing(typeof(JsonException)) : JsonValue.Create(text);
        JsonNode small = JsonNode.Parse("[1]")!;
        long allocated = 0;
        for (int i = 0; i < 20; i++)
        {
            if (before == "request")
            {
                MessageSnapshot.TryTakeRequest(earlier, out _, out _);
            }
            else
            {
                MessageSnapshot.TryTake(earlier, 1_000_000, out _, out _);
            }

            long start = GC.GetAllocatedBytesForCurrentThread();
            MessageSnapshot.TryTake(small, 100, out _, out _);
            allocated = GC.GetAllocatedBytesForCurrentThread() - start;
        }

        return allocated;
    }

    private static void AssertRefused(string text, string words)
    {
        Assert.That(MessageSnapshot.TryParse(Encoding.UTF8.GetBytes(text), 1000, out JsonElement payload, out string fault), Is.False);
        Assert.That(fault, Does.Contain(words));
        Assert.That(payload.ValueKind, Is.EqualTo(JsonValueKind.Undefined));
    }

    private static bool Take(JsonNode node, bool isRequest, out string fault) =>
        isRequest ? MessageSnapshot.TryTakeRequest(node, out _, out fault) : MessageSnapshot.TryTake(node, 10_000, out _, out fault);

    private static JsonArray Failing(Type kind) => new JsonArray("begun", Own(_ => throw Fault(kind)));

    private static Exception Fault(Type kind) => kind switch
    {
        _ when kind == typeof(JsonException) => new JsonException(),
        _ when kind == typeof(InvalidOperationException) => new InvalidOperationException(),
        _ when kind == typeof(ArgumentException) => new ArgumentException("scripted"),
        _ when kind == typeof(ArgumentOutOfRangeException) => new ArgumentOutOfRangeException(nameof(kind)),
        _ when kind == typeof(NotSupportedException) => new NotSupportedException(),
        _ when kind == typeof(IOException) => new IOException(),
        _ => new OperationCanceledException(),
    };

    /// <summary>A node that writes itself out by code of its own, as a host's may.</summary>
    private static JsonValue Own(Action<Utf8JsonWriter> write) =>
        JsonValue.Create(write, JsonMetadataServices.CreateValueInfo<Action<Utf8JsonWriter>>(new JsonSerializerOptions { TypeInfoResolver = JsonTypeInfoResolver.Combine() }, new OwnConverter()))!;

    private sealed class OwnConverter : JsonConverter<Action<Utf8JsonWriter>>
    {
        public override Action<Utf8JsonWriter> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, Action<Utf8JsonWriter> value, JsonSerializerOptions options) => value(writer);
    }
}
