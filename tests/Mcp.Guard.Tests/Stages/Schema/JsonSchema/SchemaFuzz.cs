using System.Text.Json;
using FsCheck;

namespace Mcp.Guard.Tests.Stages.Schema.JsonSchema;

/// <summary>Counts, seeds and mutations of the schema engine's random tests. Seeded, so that a failure repeats.</summary>
internal static class SchemaFuzz
{
    public static readonly string[] Seeds =
    [
        """{"type":"object","properties":{"a":{"type":"string","minLength":1,"pattern":"^[a-z]+$"},"b":{"type":"integer","minimum":0,"maximum":1e3}},"required":["a"],"additionalProperties":false}""",
        """{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":["object","null"],"properties":{"next":{"$ref":"#/definitions/n"}}}},"$ref":"#/definitions/n"}""",
        """{"$id":"https://x.example/a","$defs":{"l":{"$id":"l","$dynamicAnchor":"t","items":{"$dynamicRef":"#t"}},"s":{"$anchor":"s","enum":["x",1.50,null,[1],{"k":true}]}},"anyOf":[{"$ref":"l"},{"$ref":"#s"}],"unevaluatedProperties":false}""",
        """{"if":{"properties":{"k":{"const":"a"}}},"then":{"required":["x"]},"else":{"not":{"required":["x"]}},"dependentRequired":{"p":["q"]},"patternProperties":{"^(x|y)-\\d{2,3}$":{"multipleOf":0.01}},"propertyNames":{"maxLength":20}}""",
        """{"type":"array","prefixItems":[{"type":"boolean"}],"items":{"oneOf":[{"type":"integer"},{"format":"uri"}]},"contains":{"const":3},"minContains":2,"maxContains":5,"uniqueItems":true,"unevaluatedItems":false}""",
        """{"a":"héllo \u00e9 \ud83d\ude00","b":[1,-2.5e-3,true,false,null,{}],"c":{"d":{"e":[[],[[]]]}},"next":{"next":null},"k":"a","x-12":19.99}""",
        """[true,3,3.0,"http://example.com/",{"next":{}},"\"\\\/\b\f\n\r\t"]""",
        """{"pattern":"^(?=a)(\\w+)\\1(?<!b)$","allOf":[{"pattern":"[^\\p{L}\\-]"},{"pattern":"(a*)*b|c?"}]}""",
    ];

    private const string Marks = "{}[]\",:\\0123456789eE.-+tfn $#*?()|^";

    public static Config Config => Properties.Config().WithQuietOnSuccess(true);

    /// <summary>The normal count, or a million in long mode, or few where <c>MCP_GUARD_CASES</c> asks for few cases.</summary>
    public static int Count(int normal) => (int)Math.Min(Properties.IsLong ? 1_000_000 : normal, 40L * Properties.Most);

    /// <summary>The smaller schemas of published servers, where the corpus lies beside the checkout; without it the seeds above have to do.</summary>
    public static IEnumerable<byte[]> RealSchemas()
    {
        if (CorpusFile.Shared("real-tools") is not { } folder)
        {
            yield break;
        }

        foreach (string file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement tool in document.RootElement.GetProperty("tools").EnumerateArray())
            {
                if (tool.TryGetProperty("inputSchema", out JsonElement schema) && SchemaTestText.Raw(schema).Length < 4_096)
                {
                    yield return SchemaTestText.Raw(schema).ToArray();
                }
            }
        }
    }

    /// <summary>A copy with a few bytes changed, removed, repeated or put elsewhere.</summary>
    public static byte[] Mutate(byte[] seed, Random random)
    {
        var bytes = new List<byte>(seed);
        for (int edits = random.Next(1, 6); edits > 0 && bytes.Count > 0; edits--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)));
                    break;
                case 4:
                    bytes[at] = (byte)Marks[random.Next(Marks.Length)];
                    break;
                default:
                    (bytes[at], bytes[bytes.Count - 1 - at]) = (bytes[bytes.Count - 1 - at], bytes[at]);
                    break;
            }
        }

        return [.. bytes];
    }
}
