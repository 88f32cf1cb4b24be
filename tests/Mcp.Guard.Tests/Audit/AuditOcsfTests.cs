using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Tests.Audit;

/// <summary>The export against the schema of OCSF 1.6.0, class API Activity: what it requires, and the values that it allows.</summary>
[TestFixture]
internal sealed class AuditOcsfTests
{
    /// <summary>The attributes of the class and of the profiles in use that an event may have at its top.</summary>
    private static readonly HashSet<string> Known = new(
        [
            "category_uid", "category_name", "class_uid", "class_name", "activity_id", "activity_name", "type_uid", "severity_id", "time", "count", "start_time",
            "end_time", "duration", "metadata", "actor", "api", "src_endpoint", "dst_endpoint", "status_id", "status_code", "status_detail", "action_id",
            "disposition_id", "policy", "message", "resources", "unmapped",
        ],
        StringComparer.Ordinal);

    /// <summary>The attributes of the objects in use, as OCSF 1.6.0 defines them (github.com/ocsf/ocsf-schema, objects/), and which are required.</summary>
    private static readonly Dictionary<string, (string[] Known, string[] Required)> Objects = new(StringComparer.Ordinal)
    {
        ["metadata"] = (["version", "profiles", "product", "log_name", "sequence", "event_code", "correlation_uid"], ["version", "product"]),
        ["product"] = (["name", "vendor_name", "version"], ["name"]),
        ["actor"] = (["user", "session"], ["user"]),
        ["user"] = (["uid", "name"], ["uid"]),
        ["session"] = (["uid"], ["uid"]),
        ["api"] = (["operation", "service", "version", "request", "response"], ["operation"]),
        ["service"] = (["name"], ["name"]),
        ["request"] = (["uid"], ["uid"]),
        ["response"] = (["error", "error_message", "code", "message"], []),
        ["src_endpoint"] = (["name", "svc_name"], ["name"]),
        ["dst_endpoint"] = (["name", "svc_name"], ["svc_name"]),
        ["policy"] = (["name", "version", "uid"], ["name"]),
        ["resources"] = (["name", "type", "version", "uid"], ["name"]),
    };

    [Test]
    public async Task ExportAsync_EveryKindOfRecord_IsAnApiActivityOfTheSchema([Values] AuditExportFormat format)
    {
        using var folder = new AuditFolder();
        AuditRecord[] records =
        [
            .. Enum.GetValues<AuditKind>().Where(static kind => kind is not (AuditKind.None or AuditKind.Log)).Select(static kind => Record(kind, "deny")),
            Record(AuditKind.Outcome, "delivered"), Record(AuditKind.Outcome, "timeout"), Record(AuditKind.Consent, "asked"), Record(AuditKind.Consent, "allow-once"),
            Record(AuditKind.Consent, "timeout"), new AuditRecord { Kind = AuditKind.ServerMessage, Time = AuditSamples.Noon },
        ];
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            foreach (AuditRecord record in records)
            {
                await sink.WriteAsync(record, CancellationToken.None);
            }
        }

        using var output = new MemoryStream();
        long count = await AuditFiles.ExportAsync(AuditFiles.Open(folder.Log), output, format);
        string text = Encoding.UTF8.GetString(output.ToArray());
        string[] lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.EqualTo(count).And.Length.GreaterThan(records.Length), "the log's own records too");
            Assert.That(text, Does.EndWith("\n").And.Not.Contain("hmac-sha256").And.Not.Contain("\"prev\""));
        });
        if (format == AuditExportFormat.Ocsf)
        {
            foreach (string line in lines)
            {
                using var document = JsonDocument.Parse(line);
                Assert.Multiple(() => AssertApiActivity(document.RootElement));
            }

            Assert.That(Verdicts(lines, "allow-once"), Is.EqualTo(new[] { (1, 1, 1) }));
            Assert.That(Verdicts(lines, "asked"), Is.EqualTo(new[] { (0, 0, 17) }));
        }
    }

    [Test]
    public async Task ExportAsync_Query_SelectsAndCounts()
    {
        using var folder = new AuditFolder();
        await using (var sink = new AuditFileSink(folder.Options(), TimeProvider.System))
        {
            await sink.StartAsync(CancellationToken.None);
            await sink.WriteAsync(Record(AuditKind.Denial, "deny"), CancellationToken.None);
            await sink.WriteAsync(Record(AuditKind.Outcome, "delivered"), CancellationToken.None);
        }

        using var output = new MemoryStream();
        Assert.That(await AuditFiles.ExportAsync(AuditFiles.Open(folder.Log), output, AuditExportFormat.Ocsf, new AuditQuery { Kind = AuditKind.Denial }), Is.EqualTo(1));
    }

    private static AuditRecord Record(AuditKind kind, string decision) => new()
    {
        Kind = kind,
        Time = AuditSamples.Noon,
        DecisionId = "01990000-0000-7000-8000-000000000001",
        UserId = "ada",
        SessionId = "s1",
        Server = "files",
        Method = "tools/call",
        Target = "move_file\n\u202e",
        Fingerprint = "sha256:aa",
        Decision = decision,
        Code = GuardDenialCodes.RuleDenied,
        Stage = "rules",
        Rule = "no-moves",
        Reason = "denied",
        PolicyRevision = "4f2a",
        ArgumentsDigest = "hmac-sha256:00ff",
        Changes = ["redaction:email"],
        Duration = TimeSpan.FromMilliseconds(5),
        Count = 3,
        FirstTime = AuditSamples.Noon.AddSeconds(-5),
    };

    private static (int, int, int)[] Verdicts(string[] lines, string decision)
    {
        var verdicts = new List<(int, int, int)>();
        foreach (string line in lines)
        {
            using var document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("message", out JsonElement message) && message.ValueEquals(decision))
            {
                verdicts.Add((root.GetProperty("status_id").GetInt32(), root.GetProperty("action_id").GetInt32(), root.GetProperty("disposition_id").GetInt32()));
            }
        }

        return [.. verdicts];
    }

    private static void AssertApiActivity(JsonElement root)
    {
        int activity = root.GetProperty("activity_id").GetInt32();
        Assert.That(root.EnumerateObject().Select(static member => member.Name), Is.SubsetOf(Known));
        Assert.That(root.EnumerateObject().Select(static member => member.Name), Is.Unique);
        Assert.That((root.GetProperty("category_uid").GetInt32(), root.GetProperty("class_uid").GetInt32()), Is.EqualTo((6, 6003)));
        Assert.That(activity, Is.AnyOf(0, 1, 2, 3, 4, 99), "Unknown, Create, Read, Update, Delete, Other");
        Assert.That(root.GetProperty("type_uid").GetInt32(), Is.EqualTo((6003 * 100) + activity));
        Assert.That(root.GetProperty("severity_id").GetInt32(), Is.InRange(0, 6));
        Assert.That(root.GetProperty("time").GetInt64(), Is.GreaterThan(0));
        Assert.That(root.GetProperty("status_id").GetInt32(), Is.AnyOf(0, 1, 2, 99));
        Assert.That(root.GetProperty("action_id").GetInt32(), Is.InRange(0, 4));
        Assert.That(root.GetProperty("disposition_id").GetInt32(), Is.InRange(0, 27));
        Assert.That(root.GetProperty("metadata").GetProperty("version").GetString(), Is.EqualTo("1.6.0"));
        Assert.That(root.GetProperty("metadata").GetProperty("product").GetProperty("name").GetString(), Is.Not.Empty);
        Assert.That(root.GetProperty("metadata").GetProperty("profiles").EnumerateArray().Select(static profile => profile.GetString()), Does.Contain("security_control"));
        Assert.That(root.GetProperty("actor").GetProperty("user").GetProperty("uid").GetString(), Is.Not.Empty);
        Assert.That(root.GetProperty("api").GetProperty("operation").GetString(), Is.Not.Empty);
        Assert.That(root.GetProperty("src_endpoint").EnumerateObject(), Is.Not.Empty, "one of its attributes is required");
        Assert.That(root.GetProperty("unmapped").ValueKind, Is.EqualTo(JsonValueKind.Object));
        AssertObjects(root);
    }

    private static void AssertObjects(JsonElement value)
    {
        foreach (JsonProperty member in value.EnumerateObject().Where(static member => member.Name != "unmapped"))
        {
            foreach (JsonElement item in member.Value.ValueKind == JsonValueKind.Array ? [.. member.Value.EnumerateArray()] : (JsonElement[])[member.Value])
            {
                if (item.ValueKind == JsonValueKind.Object)
                {
                    Assert.That(Objects, Does.ContainKey(member.Name));
                    (string[] known, string[] required) = Objects[member.Name];
                    string[] names = [.. item.EnumerateObject().Select(static inner => inner.Name)];
                    Assert.That(names, Is.SubsetOf(known), member.Name);
                    Assert.That(required, Is.SubsetOf(names), member.Name);
                    AssertObjects(item);
                }
            }
        }
    }
}
