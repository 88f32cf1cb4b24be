using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Isolation;
using Mcp.Guard.Policy;

namespace Mcp.Guard.Tests.Policy;

/// <summary>The published JSON Schema and the reader know the same keys and words.</summary>
[TestFixture]
internal sealed class PolicySchemaTests
{
    private static readonly JsonDocument Schema = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Policy", "mcp-guard.schema.json")));

    /// <summary>A document that uses every key of every kind of object, in as few servers as can be.</summary>
    private static readonly string Full = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json"));

    public static IEnumerable<TestCaseData> Sections() => PolicySection.All.Select(section => new TestCaseData(section).SetArgDisplayNames(section.Name));

    /// <summary>Every key of every object in the full document, by its JSON Pointer.</summary>
    public static IEnumerable<TestCaseData> Keys()
    {
        using JsonDocument full = JsonDocument.Parse(Full);
        return [.. KnownKeys(full.RootElement).Select(key => new TestCaseData(key.Pointer).SetArgDisplayNames(key.Pointer))];
    }

    [TestCaseSource(nameof(Sections))]
    public void Schema_Section_HasTheReadersKeysEachWithADescription(object section)
    {
        (string name, string[] keys) = (((PolicySection)section).Name, ((PolicySection)section).Keys);
        JsonElement definition = Definition(name);
        JsonElement properties = definition.GetProperty("properties");
        Assert.Multiple(() =>
        {
            Assert.That(properties.EnumerateObject().Select(property => property.Name), Is.EquivalentTo(keys));
            Assert.That(definition.GetProperty("additionalProperties").ValueKind, Is.EqualTo(JsonValueKind.False), "editors mark unknown keys");
            Assert.That(definition.GetProperty("description").GetString(), Is.Not.Empty);
            foreach (JsonProperty property in properties.EnumerateObject())
            {
                Assert.That(DescriptionOf(property.Value), Is.Not.Empty, property.Name);
            }
        });
    }

    [Test]
    public void Schema_Definitions_AreTheReadersSectionsAndTheirNotations()
    {
        string[] notations = ["environment", "duration", "size", "pointers", "urlPatterns"];
        Assert.That(
            Schema.RootElement.GetProperty("$defs").EnumerateObject().Select(definition => definition.Name),
            Is.EquivalentTo(PolicySection.All.Select(section => section.Name).Concat(notations)));
    }

    [Test]
    public void Schema_Words_AreTheReaders() => Assert.Multiple(() =>
    {
        foreach (string section in (string[])["defaults", "server"])
        {
            Same(section, "confirmation", PolicyWords.Confirmation);
        }

        Same("audit", "arguments", PolicyWords.Recording);
        Same("audit", "results", PolicyWords.Recording);
        Same("audit", "durability", PolicyWords.Durability);
        Same("results", "overflow", PolicyWords.Overflow);
        Same("results", "remoteReferences", PolicyWords.References);
        Same("results", "linksWithQuery", PolicyWords.References);
        Same("results", "framing", PolicyWords.Framing);
        Same("rule", "effect", PolicyWords.Effect);
        Same("paths", "detect", PolicyWords.Detection);
        Same("paths", "access", PolicyWords.Access);
        Same("root", "access", PolicyWords.Access);
        Same("isolation", "mode", PolicyWords.Isolation);
        Same("isolation", "preset", PolicyWords.Preset);
        Same("isolation", "engine", PolicyWords.Engine);
        Same("server", "transport", PolicyWords.Transport);
        SameItems("rateLimit", "by", PolicyWords.Scope);
        SameItems("isolation", "required", PolicyWords.Control);
        foreach ((string word, _) in PolicyWords.Finding)
        {
            Same("flags", word, PolicyWords.Action);
        }

        Assert.That(PolicyWords.Finding.Select(finding => finding.Word), Is.EqualTo(PolicySection.Flags.Keys));
        Assert.That(PolicyWords.Finding.Select(finding => finding.Value).Append(ContentFindings.None), Is.EquivalentTo(Enum.GetValues<ContentFindings>()));
    });

    [Test]
    public void Schema_Defaults_AreTheRecommendedOnes()
    {
        PolicyDefaults recommended = PolicyDefaults.Recommended;
        JsonElement defaults = Definition("defaults").GetProperty("properties");
        JsonElement results = Definition("results").GetProperty("properties");
        Assert.Multiple(() =>
        {
            Assert.That(defaults.GetProperty("confirmation").GetProperty("default").GetString(), Is.EqualTo("destructive"));
            Assert.That(defaults.GetProperty("toolTimeout").GetProperty("default").GetString(), Is.EqualTo(PolicyText.Duration(recommended.ToolTimeout)));
            Assert.That(defaults.GetProperty("consentTimeout").GetProperty("default").GetString(), Is.EqualTo(PolicyText.Duration(recommended.ConsentTimeout)));
            Assert.That(defaults.GetProperty("promptMaxTokens").GetProperty("default").GetInt32(), Is.EqualTo(recommended.PromptMaxTokens));
            Assert.That(defaults.GetProperty("maxConcurrentCalls").GetProperty("default").GetInt32(), Is.EqualTo(recommended.MaxConcurrentCalls));
            Assert.That(defaults.GetProperty("maxConcurrentCallsPerCaller").GetProperty("default").GetInt32(), Is.EqualTo(recommended.MaxConcurrentCallsPerCaller));
            Assert.That(defaults.GetProperty("maxQueuedCalls").GetProperty("default").GetInt32(), Is.EqualTo(recommended.MaxQueuedCalls));
            Assert.That(results.GetProperty("maxItems").GetProperty("default").GetInt32(), Is.EqualTo(recommended.Results.MaxItems));
            Assert.That(results.GetProperty("maxDepth").GetProperty("default").GetInt32(), Is.EqualTo(recommended.Results.MaxDepth));
            Assert.That(PolicyText.TrySize(results.GetProperty("maxBytes").GetProperty("default").GetString()!, out long bytes) ? bytes : 0, Is.EqualTo(recommended.Results.MaxBytes));
        });
    }

    [Test]
    public void Read_FullDocument_IsAcceptedAndUsesEveryKey()
    {
        PolicyTexts.Read(Full);
        using JsonDocument full = JsonDocument.Parse(Full);
        IEnumerable<string> used = KnownKeys(full.RootElement).Select(key => key.Section + "." + key.Name).Distinct();
        Assert.That(used, Is.EquivalentTo(PolicySection.All.SelectMany(section => section.Keys.Select(key => section.Name + "." + key))));
    }

    [TestCaseSource(nameof(Keys))]
    public void Read_NullForAnyKey_IsAnErrorAtThatKey(string pointer)
    {
        // Null is no value of any key: an error at the key proves that the reader reads it.
        JsonNode document = JsonNode.Parse(Full)!;
        Put(document, pointer, null);
        GuardPolicyError[] errors = PolicyTexts.Errors(document.ToJsonString());
        Assert.That(errors.Select(error => error.Location), Has.Some.EqualTo(pointer));
    }

    /// <summary>Every number, size and duration of the full document, with values outside and at the ends of its published range.</summary>
    public static IEnumerable<TestCaseData> Ranges()
    {
        using JsonDocument full = JsonDocument.Parse(Full);
        foreach ((string pointer, string section, string name) in KnownKeys(full.RootElement))
        {
            JsonElement property = Definition(section).GetProperty("properties").GetProperty(name);
            string? notation = property.TryGetProperty("$ref", out JsonElement reference) ? reference.GetString()!["#/$defs/".Length..] : null;
            string? type = property.TryGetProperty("type", out JsonElement plain) && plain.ValueKind == JsonValueKind.String ? plain.GetString() : null;
            if (notation == "duration")
            {
                yield return new TestCaseData(pointer, (string[])["\"0s\"", "\"86400001ms\"", "\"999999999999d\""], (string[])["\"1ms\"", "\"1d\""]).SetArgDisplayNames(pointer);
            }
            else if (notation == "size" || type is "integer" or "number")
            {
                Assert.That(property.TryGetProperty("maximum", out JsonElement most), Is.True, $"{pointer} has no maximum in the schema");
                decimal least = property.TryGetProperty("minimum", out JsonElement minimum) ? minimum.GetDecimal() : 0;
                string[] outside = [Text(least - 1), Text(most.GetDecimal() + 1), "9223372036854775808", "-9223372036854775809", "1e3"];
                if (notation == "size")
                {
                    outside = [.. outside, $"\"{Text(most.GetDecimal() + 1)}B\"", "\"999999999999999GiB\""];
                }

                yield return new TestCaseData(pointer, outside, (string[])[Text(least), Text(most.GetDecimal())]).SetArgDisplayNames(pointer);
            }
        }
    }

    [TestCaseSource(nameof(Ranges))]
    public void Read_NumberOutsideItsPublishedRange_IsAnErrorAndAtItsEndsIsNot(string pointer, string[] outside, string[] ends) => Assert.Multiple(() =>
    {
        foreach (string value in outside)
        {
            Assert.That(ErrorsWith(pointer, value).Select(error => error.Location), Has.Some.EqualTo(pointer), value);
        }

        foreach (string value in ends)
        {
            Assert.That(
                ErrorsWith(pointer, value).Where(error => error.Location == pointer && error.Message.Contains("is not permitted here", StringComparison.Ordinal)),
                Is.Empty,
                value);
        }
    });

    // A policy lists the controls that it requires by the names under which plans report them; other names could never be in force.
    [Test]
    public void Required_Control_IsOneThatPlansKnow() =>
        Assert.That(PolicyWords.Control.Select(control => control.Value), Is.EquivalentTo(IsolationControls.All));

    private static GuardPolicyError[] ErrorsWith(string pointer, string value)
    {
        JsonNode document = JsonNode.Parse(Full)!;
        Put(document, pointer, JsonNode.Parse(value));
        try
        {
            PolicyTexts.Read(document.ToJsonString());
            return [];
        }
        catch (McpGuardPolicyException refused)
        {
            return [.. refused.Errors];
        }
    }

    /// <summary>The value at a JSON Pointer.</summary>
    public static JsonNode? Find(JsonNode document, string pointer)
    {
        string[] tokens = Tokens(pointer);
        return Parent(document, tokens)[tokens[^1]];
    }

    /// <summary>Puts another value at a JSON Pointer that ends in a key.</summary>
    public static void Put(JsonNode document, string pointer, JsonNode? value)
    {
        string[] tokens = Tokens(pointer);
        Parent(document, tokens)[tokens[^1]] = value;
    }

    private static string[] Tokens(string pointer) =>
        [.. pointer.Split('/').Skip(1).Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];

    private static JsonNode Parent(JsonNode document, string[] tokens)
    {
        JsonNode target = document;
        foreach (string token in tokens[..^1])
        {
            target = target is JsonArray list ? list[int.Parse(token, CultureInfo.InvariantCulture)]! : target[token]!;
        }

        return target;
    }

    private static string Text(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<(string Pointer, string Section, string Name)> KnownKeys(JsonElement root)
    {
        var open = new Stack<(JsonElement Value, string Definition, string Pointer)>([(root, "document", "")]);
        while (open.TryPop(out var at))
        {
            JsonElement definition = Definition(at.Definition);
            if (!definition.TryGetProperty("properties", out JsonElement properties))
            {
                continue;
            }

            foreach (JsonProperty member in at.Value.EnumerateObject())
            {
                string pointer = at.Pointer + "/" + PolicyNode.EscapeToken(member.Name);
                yield return (pointer, at.Definition, member.Name);
                Descend(member.Value, properties.GetProperty(member.Name), pointer, open);
            }
        }
    }

    /// <summary>Finds the objects below a value that have a definition of their own.</summary>
    private static void Descend(JsonElement value, JsonElement schema, string pointer, Stack<(JsonElement, string, string)> open)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            string name = reference.GetString()!["#/$defs/".Length..];
            JsonElement definition = Definition(name);
            if (value.ValueKind == JsonValueKind.Object && definition.TryGetProperty("properties", out _))
            {
                open.Push((value, name, pointer));
                return;
            }

            schema = definition;
        }

        if (schema.TryGetProperty("anyOf", out JsonElement choices))
        {
            foreach (JsonElement choice in choices.EnumerateArray())
            {
                bool fits = choice.TryGetProperty("$ref", out JsonElement target)
                    ? Definition(target.GetString()!["#/$defs/".Length..]).TryGetProperty("type", out JsonElement type) && type.GetString() == TypeOf(value)
                    : choice.TryGetProperty("type", out JsonElement plain) && plain.GetString() == TypeOf(value);
                if (fits)
                {
                    Descend(value, choice, pointer, open);
                }
            }
        }
        else if (value.ValueKind == JsonValueKind.Object && schema.TryGetProperty("additionalProperties", out JsonElement each) && each.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in value.EnumerateObject())
            {
                Descend(member.Value, each, pointer + "/" + PolicyNode.EscapeToken(member.Name), open);
            }
        }
        else if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out JsonElement items))
        {
            int i = 0;
            foreach (JsonElement item in value.EnumerateArray())
            {
                Descend(item, items, pointer + "/" + i++, open);
            }
        }
    }

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        _ => "other",
    };

    private static JsonElement Definition(string name) => Schema.RootElement.GetProperty("$defs").GetProperty(name);

    private static string? DescriptionOf(JsonElement schema) =>
        schema.TryGetProperty("description", out JsonElement own) ? own.GetString()
        : schema.TryGetProperty("$ref", out JsonElement reference) ? Definition(reference.GetString()!["#/$defs/".Length..]).GetProperty("description").GetString()
        : null;

    private static void Same<T>(string section, string key, (string Word, T Value)[] words) =>
        Assert.That(
            Definition(section).GetProperty("properties").GetProperty(key).GetProperty("enum").EnumerateArray().Select(word => word.GetString()),
            Is.EquivalentTo(words.Select(word => word.Word)),
            $"{section}.{key}");

    private static void SameItems<T>(string section, string key, (string Word, T Value)[] words) =>
        Assert.That(
            Definition(section).GetProperty("properties").GetProperty(key).GetProperty("items").GetProperty("enum").EnumerateArray().Select(word => word.GetString()),
            Is.EquivalentTo(words.Select(word => word.Word)),
            $"{section}.{key}");
}
