using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Mcp.Guard.Stages.Consent;

namespace Mcp.Guard.Tests.Stages.Consent;

/// <summary>A grant outside this process comes back as it was, and half a grant is none.</summary>
[TestFixture]
internal sealed class ConsentGrantJsonTests
{
    private static readonly string[] Texts = ["id", "server", "method", "tool", "fingerprint", "arguments", "user", "session", "policy", "expires"];
    private static readonly string[] Flags = ["refusal", "once", "anyArguments", "anySession"];

    [Test]
    public void Read_WhatWasWritten_IsTheSameGrant()
    {
        Gen<ConsentGrant> grants =
            from texts in Gen.Elements("a", "b", "é \"quoted\"", "x\ny", "").ArrayOf(9)
            from flags in ArbMap.Default.GeneratorFor<bool>().ArrayOf(4)
            from seconds in Gen.Choose(0, int.MaxValue)
            select Grant(texts, flags, DateTimeOffset.UnixEpoch.AddSeconds(seconds));
        Check.One(Properties.Config(500), Prop.ForAll(grants.ToArbitrary(), grant =>
        {
            ConsentGrant read = ConsentGrantJson.Read(Written(grant))!;
            return (read.GrantId, read.Binding, read.IsRefusal, read.IsSingleUse, read.CoversAnyArguments, read.CoversAnySession, read.ExpiresAt)
                .Equals((grant.GrantId, grant.Binding, grant.IsRefusal, grant.IsSingleUse, grant.CoversAnyArguments, grant.CoversAnySession, grant.ExpiresAt));
        }));
    }

    [Test]
    public void Read_PartMissingOrOfAnotherType_IsNone()
    {
        string whole = Written(Grant(["1", "2", "3", "4", "5", "6", "7", "8", "9"], [false, true, false, true], DateTimeOffset.UnixEpoch)).GetRawText();
        Assert.That(JsonNode.Parse(whole)!.AsObject().Select(member => member.Key), Is.EquivalentTo(Texts.Concat(Flags)));
        foreach (string part in Texts.Concat(Flags))
        {
            foreach (JsonNode? other in (JsonNode?[])[null, JsonValue.Create(5), JsonValue.Create("true"), new JsonArray()])
            {
                if (other is JsonValue && other.GetValueKind() == JsonValueKind.String && part != "expires" && Texts.Contains(part))
                {
                    continue;
                }

                JsonObject entry = JsonNode.Parse(whole)!.AsObject();
                entry[part] = other?.DeepClone();
                Assert.That(ConsentGrantJson.Read(JsonElement.Parse(entry.ToJsonString())), Is.Null, $"{part} as {other?.ToJsonString() ?? "null"}");
            }

            JsonObject without = JsonNode.Parse(whole)!.AsObject();
            without.Remove(part);
            Assert.That(ConsentGrantJson.Read(JsonElement.Parse(without.ToJsonString())), Is.Null, $"without {part}");
        }

        Assert.That(ConsentGrantJson.Read(JsonElement.Parse("[]")), Is.Null);
        Assert.That(ConsentGrantJson.Read(default), Is.Null);
    }

    private static ConsentGrant Grant(string[] texts, bool[] flags, DateTimeOffset until) => new()
    {
        GrantId = texts[0],
        Binding = new ConsentBinding
        {
            Server = texts[1],
            Method = texts[2],
            Tool = texts[3],
            Fingerprint = texts[4],
            ArgumentsDigest = texts[5],
            UserId = texts[6],
            SessionId = texts[7],
            PolicyRevision = texts[8],
        },
        IsRefusal = flags[0],
        IsSingleUse = flags[1],
        CoversAnyArguments = flags[2],
        CoversAnySession = flags[3],
        ExpiresAt = until,
    };

    private static JsonElement Written(ConsentGrant grant)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            ConsentGrantJson.Write(writer, grant);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
