using System.Text;
using System.Text.Json.Nodes;
using Mcp.Guard.Policy;
using Mcp.Guard.Stages.Schema.JsonSchema;

namespace Mcp.Guard.Tests.Policy;

/// <summary>The reader and the published schema judge the same documents alike: what one accepts the other accepts, but for what no schema can say.</summary>
[TestFixture]
internal sealed class PolicySchemaAgreementTests
{
    /// <summary>
    /// The faults that JSON Schema cannot express, or that the published one leaves to the reader: relations between values (twice, shorter than, larger than
    /// together, one place for two roles), what a path, URL, host or glob means, the file a policy lies in, and schemas inside the policy.
    /// </summary>
    private static readonly HashSet<string> ReaderOnly = new(StringComparer.Ordinal)
    {
        "deny-with-require", "when-on-resources", "paths-without-tools", "extension-without-timeout", "extension-shorter", "path-and-content", "none-with-limit",
        "image-in-bubblewrap", "container-without-image", "variable-twice", "variable-loader", "variable-of-box", "variable-by-env", "runner-open",
        "runner-behind-shell", "batch-file", "header-twice", "retention-exponent", "window-zero", "window-long", "rate-too-fast",
        "duration(0ms)", "size(\"0B\")", "size(\"65MiB\")", "glob-blank", "glob-edge-blank", "glob-double-star", "glob-question", "glob-class", "glob-control", "glob-many-stars",
        "root-blank", "root-edge-blank", "root-tilde", "root-nul", "root-relative-no-file", "root-twice", "url-pattern", "url(ftp://a.example)", "url(a.example)",
        "url(https://)", "url(https://u@a.example)", "url(https://a.example#x)", "url(https://a.example/ b)", "url(https:\\\\\\\\a.example)", "url(javascript:alert(1))",
        "url(file:///etc/passwd)", "urls(https://a*.example)", "urls(https://a.example/*)", "urls(https://*.*.example)", "urls(https://**)", "authorization-star",
        "header-value", "argument-nul", "package(../a)", "package(a@1.0.0)", "package(@a)", "package(-a)", "package(a/b)", "package(https://a.example/x.tgz)",
        "package(file:a)", "package(a b)", "host", "schema-refused", "schema-refused-inside", "schema-engine-crash",
    };

    private static readonly string Full = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Policy", "full-policy.json"));

    [Test]
    public void Validate_FaultyDocuments_AreRefusedBySchemaTooButForTheListed()
    {
        var accepted = new List<string>();
        foreach (TestCaseData fault in PolicyErrorTests.Faults())
        {
            byte[] text = Encoding.UTF8.GetBytes(((string)fault.Arguments[0]!).Replace("»", "", StringComparison.Ordinal));
            if (PublishedPolicySchema.Validate(text).IsValid)
            {
                accepted.Add(fault.ArgDisplayNames![0]);
            }
        }

        Assert.That(accepted, Is.EquivalentTo(ReaderOnly));
    }

    [Test]
    public void Validate_AcceptedDocuments_AreAcceptedBySchema()
    {
        Assert.That(PublishedPolicySchema.Validate(Encoding.UTF8.GetBytes(Full)).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));
        Assert.That(PublishedPolicySchema.Validate(Encoding.UTF8.GetBytes(PolicyTexts.Design)).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));
        Assert.That(PublishedPolicySchema.Validate("{}"u8).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));
    }

    /// <summary>Values of the full document removed, moved and replaced by values of other places: the reader accepts none that the schema refuses.</summary>
    [Test]
    public void Read_ShuffledDocuments_NoneIsRefusedBySchemaAlone()
    {
        var random = new Random(577);
        JsonNode full = JsonNode.Parse(Full)!;
        List<JsonNode?> values = [.. Nodes(full).Select(node => node?.DeepClone()), JsonValue.Create(0), JsonValue.Create(1.5), JsonValue.Create(""), new JsonObject(), new JsonArray(), JsonValue.Create(false)];
        int accepted = 0;
        int refused = 0;
        for (int i = 0; i < (Properties.IsLong ? 100_000 : 2_000); i++)
        {
            JsonNode document = full.DeepClone();
            for (int changes = random.Next(1, 3); changes > 0; changes--)
            {
                JsonNode[] containers = [.. Nodes(document).Where(node => node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 }).Select(node => node!)];
                JsonNode target = containers[random.Next(containers.Length)];
                JsonNode? value = values[random.Next(values.Count)]?.DeepClone();
                if (target is JsonArray list)
                {
                    list[random.Next(list.Count)] = value;
                    continue;
                }

                var members = (JsonObject)target;
                string name = members.ElementAt(random.Next(members.Count)).Key;
                if (random.Next(2) == 0)
                {
                    members.Remove(name);
                }
                else
                {
                    members[name] = value;
                }
            }

            string json = document.ToJsonString();
            try
            {
                PolicyTexts.Read(json);
                accepted++;
            }
            catch (McpGuardPolicyException e)
            {
                refused++;
                Assert.That(e.Errors.Select(error => error.Message), Has.None.StartsWith(PublishedPolicySchema.Refusal), json);
            }
        }

        Assert.That(Math.Min(accepted, refused), Is.GreaterThan(100));
    }

    [Test]
    public void Check_DocumentThatOnlyTheSchemaRefuses_IsAnError()
    {
        byte[] text = "{\"servers\":{\"s\":{\"hostProvided\":\"yes\"}}}"u8.ToArray();
        var problems = new PolicyProblems(text, null, true);
        PolicyNode root = PolicyParser.Parse(text, problems)!;
        PublishedPolicySchema.Check(text, root, problems);
        McpGuardPolicyException e = Assert.Throws<McpGuardPolicyException>(problems.ThrowIfAny)!;
        Assert.That(e.Errors[0].Message, Does.StartWith(PublishedPolicySchema.Refusal).And.Contain("/servers/s/hostProvided").And.Not.Contain("yes"));
    }

    [Test]
    public void Validate_ByteOrderMark_IsSkipped() =>
        Assert.That(PublishedPolicySchema.Validate([0xEF, 0xBB, 0xBF, .. "{}"u8]).Outcome, Is.EqualTo(JsonSchemaOutcome.Valid));

    private static IEnumerable<JsonNode?> Nodes(JsonNode root)
    {
        var open = new Stack<JsonNode?>([root]);
        while (open.TryPop(out JsonNode? node))
        {
            yield return node;
            foreach (JsonNode? child in node switch { JsonObject members => members.Select(member => member.Value), JsonArray items => items, _ => Enumerable.Empty<JsonNode?>() })
            {
                open.Push(child);
            }
        }
    }
}
