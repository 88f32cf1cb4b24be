using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Json;
using Mcp.Guard.Stages.Redaction;

namespace Mcp.Guard.Tests.Stages.Redaction;

/// <summary>Every case of secrets.json that counts, by id; the values are put together here, as the corpus asks.</summary>
[TestFixture]
internal sealed class SecretCorpusTests
{
    private static IEnumerable<TestCaseData> Cases()
    {
        using JsonDocument document = CorpusFile.Open("secrets.json");
        foreach (JsonElement item in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            if (item.GetProperty("level").GetString() is "must" or "contract")
            {
                yield return new TestCaseData(item.Clone()).SetArgDisplayNames(item.GetProperty("id").GetString()!);
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Redact_CorpusCase_MeetsItsContract(JsonElement item)
    {
        (string input, string[] secrets) = Compose(item);
        bool json = item.GetProperty("kind").GetString() == "json";
        string output = Redact(json, input);
        if (item.GetProperty("label").GetString() == "clean")
        {
            Assert.That(output, Is.SameAs(input));
            return;
        }

        string searched = json ? Strings(output) : output;
        foreach (string secret in secrets)
        {
            string plain = json ? JsonText.Unescape(secret) : secret;
            Assert.That(searched, Does.Not.Contain(plain[..Math.Min(12, plain.Length)]));
        }

        if (item.GetProperty("expect").TryGetProperty("mustContain", out JsonElement kept))
        {
            foreach (JsonElement part in kept.EnumerateArray())
            {
                Assert.That(searched, Does.Contain(part.GetString()));
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Redact_RedactedCorpusCase_ChangesNothing(JsonElement item)
    {
        bool json = item.GetProperty("kind").GetString() == "json";
        string once = Redact(json, Compose(item).Input);
        Assert.That(Redact(json, once), Is.SameAs(once));
    }

    private static (string Input, string[] Secrets) Compose(JsonElement item)
    {
        string input = item.GetProperty("template").GetString()!;
        string[] secrets = [.. item.GetProperty("secrets").EnumerateArray().Select(parts => string.Concat(parts.EnumerateArray().Select(part => part.GetString())))];
        for (int i = 0; i < secrets.Length; i++)
        {
            input = input.Replace($"{{{i}}}", secrets[i], StringComparison.Ordinal);
        }

        return (input, secrets);
    }

    private static string Redact(bool json, string input)
    {
        if (!json)
        {
            return SecretRedactor.Default.Redact(input);
        }

        using JsonDocument document = JsonDocument.Parse(input);
        return JsonRedactor.Default.Redact(document.RootElement) is { } changed ? Encoding.UTF8.GetString(changed.Span) : input;
    }

    /// <summary>All names and values of a JSON text, unescaped.</summary>
    private static string Strings(string json)
    {
        var all = new StringBuilder();
        void Add(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject value:
                    foreach ((string name, JsonNode? child) in value)
                    {
                        all.AppendLine(name);
                        Add(child);
                    }

                    break;
                case JsonArray value:
                    foreach (JsonNode? child in value)
                    {
                        Add(child);
                    }

                    break;
                default:
                    all.AppendLine(node?.ToString());
                    break;
            }
        }

        Add(JsonNode.Parse(json));
        return all.ToString();
    }
}
