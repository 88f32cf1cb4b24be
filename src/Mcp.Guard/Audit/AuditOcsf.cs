using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>
/// A record as an event of the Open Cybersecurity Schema Framework, class API Activity (6003) with the profile security_control. A pure function: the same
/// record gives the same bytes. Keyed digests and the links of the chain stay behind.
/// </summary>
internal static class AuditOcsf
{
    public const string SchemaVersion = "1.6.0";

    private const int ClassUid = 6003;
    private const int CategoryUid = 6;
    private const int Read = 2;
    private const int Other = 99;

    public static void Write(AuditEntry entry, Utf8JsonWriter writer)
    {
        string? method = entry.Text("method");
        int activity = method is not null && IsRead(method) ? Read : Other;
        (int status, int action, int disposition) = Verdict(entry);

        writer.WriteStartObject();
        writer.WriteNumber("category_uid", CategoryUid);
        writer.WriteString("category_name", "Application Activity");
        writer.WriteNumber("class_uid", ClassUid);
        writer.WriteString("class_name", "API Activity");
        writer.WriteNumber("activity_id", activity);
        writer.WriteString("activity_name", activity == Read ? "Read" : method ?? AuditKindNames.Text(entry.Kind));
        writer.WriteNumber("type_uid", (ClassUid * 100) + activity);
        writer.WriteNumber("severity_id", Severity(entry));
        writer.WriteNumber("time", entry.Time.ToUnixTimeMilliseconds());
        WriteCount(entry, writer);
        WriteMetadata(entry, writer);
        WriteActor(entry, writer);
        WriteApi(entry, method, writer);
        WriteEndpoints(entry, writer);
        writer.WriteNumber("status_id", status);
        Text(writer, "status_code", entry.Text("code"));
        Text(writer, "status_detail", entry.Text("reason"));
        writer.WriteNumber("action_id", action);
        writer.WriteNumber("disposition_id", disposition);
        WritePolicy(entry, writer);
        Text(writer, "message", entry.Event is { } happened ? $"log {happened}" : entry.Text("decision"));
        WriteResources(entry, method, writer);
        WriteUnmapped(entry, writer);
        writer.WriteEndObject();
    }

    private static bool IsRead(string method) =>
        method is "resources/read" or "prompts/get" || method.EndsWith("/list", StringComparison.Ordinal);

    /// <summary>status_id (1 success, 2 failure), action_id (1 allowed, 2 denied), disposition_id (1 allowed, 2 blocked, 17 logged); 0 is unknown.</summary>
    private static (int Status, int Action, int Disposition) Verdict(AuditEntry entry) => (entry.Kind, entry.Text("decision")) switch
    {
        (AuditKind.Denial, _) => (2, 2, 2),
        (_, "deny" or "denied" or "refused") => (2, 2, 2),
        (AuditKind.Intent, _) => (1, 1, 1),
        (AuditKind.Outcome, "delivered" or "changed") => (1, 1, 1),
        (AuditKind.Outcome, _) => (2, 1, 1),
        (AuditKind.Consent, "asked") => (0, 0, 17),
        (AuditKind.Consent, { } answer) => answer.StartsWith("allow", StringComparison.Ordinal) ? (1, 1, 1) : (2, 2, 2),
        _ => (0, 0, 17),
    };

    /// <summary>1 informational, 2 low, 3 medium, 4 high.</summary>
    private static int Severity(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Denial or AuditKind.ServerMessage => 2,
        AuditKind.Halt => 3,
        AuditKind.Catalog when entry.Text("decision") is "changed" or "refused" or "pins-out-of-reach" => 3,
        AuditKind.Catalog when entry.Text("decision") is "new" => 2,
        AuditKind.Log when entry.Event is "damaged" => 4,
        AuditKind.Log when entry.Event is "recovered" or "openIntent" or "resumed" => 3,
        _ => 1,
    };

    private static void WriteCount(AuditEntry entry, Utf8JsonWriter writer)
    {
        AuditRecord record = entry.ToRecord();
        if (record.Count > 1)
        {
            writer.WriteNumber("count", record.Count);
        }

        if (record.FirstTime is { } first)
        {
            writer.WriteNumber("start_time", first.ToUnixTimeMilliseconds());
            writer.WriteNumber("end_time", entry.Time.ToUnixTimeMilliseconds());
        }

        if (record.Duration is { } duration)
        {
            writer.WriteNumber("duration", (long)duration.TotalMilliseconds);
        }
    }

    private static void WriteMetadata(AuditEntry entry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("metadata");
        writer.WriteString("version", SchemaVersion);
        writer.WriteStartArray("profiles");
        writer.WriteStringValue("security_control");
        writer.WriteEndArray();
        writer.WriteStartObject("product");
        writer.WriteString("name", "Mcp.Guard");
        writer.WriteString("vendor_name", "Mcp.Guard");
        writer.WriteEndObject();
        writer.WriteString("log_name", entry.Segment);
        writer.WriteNumber("sequence", entry.Sequence);
        writer.WriteString("event_code", AuditKindNames.Text(entry.Kind));
        Text(writer, "correlation_uid", entry.Text("id"));
        writer.WriteEndObject();
    }

    private static void WriteActor(AuditEntry entry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("actor");
        writer.WriteStartObject("user");
        writer.WriteString("uid", entry.Text("user") ?? "unknown");
        writer.WriteEndObject();
        if (entry.Text("session") is { } session)
        {
            writer.WriteStartObject("session");
            writer.WriteString("uid", session);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteApi(AuditEntry entry, string? method, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("api");
        writer.WriteString("operation", method ?? AuditKindNames.Text(entry.Kind));
        if (entry.Text("server") is { } server)
        {
            writer.WriteStartObject("service");
            writer.WriteString("name", server);
            writer.WriteEndObject();
        }

        Text(writer, "version", entry.Text("protocol"));
        if (entry.Text("id") is { } id)
        {
            writer.WriteStartObject("request");
            writer.WriteString("uid", id);
            writer.WriteEndObject();
        }

        if (entry.Text("code") is { } code)
        {
            writer.WriteStartObject("response");
            writer.WriteString("error", code);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteEndpoints(AuditEntry entry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("src_endpoint");
        writer.WriteString("name", "mcp-host");
        writer.WriteEndObject();
        if (entry.Text("server") is { } server)
        {
            writer.WriteStartObject("dst_endpoint");
            writer.WriteString("svc_name", server);
            writer.WriteEndObject();
        }
    }

    private static void WritePolicy(AuditEntry entry, Utf8JsonWriter writer)
    {
        if (entry.Text("policy") is not { } revision)
        {
            return;
        }

        writer.WriteStartObject("policy");
        writer.WriteString("name", entry.Text("rule") is { Length: > 0 } rule ? rule : "mcp-guard");
        writer.WriteString("version", revision);
        writer.WriteEndObject();
    }

    private static void WriteResources(AuditEntry entry, string? method, Utf8JsonWriter writer)
    {
        if (entry.Text("target") is not { } target)
        {
            return;
        }

        writer.WriteStartArray("resources");
        writer.WriteStartObject();
        writer.WriteString("name", target);
        writer.WriteString("type", method switch
        {
            "tools/call" or "tools/list" => "tool",
            "prompts/get" => "prompt",
            _ => "resource",
        });
        Text(writer, "version", entry.Text("fingerprint"));
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    /// <summary>What the class has no place for, under the names that the log uses.</summary>
    private static void WriteUnmapped(AuditEntry entry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("unmapped");
        foreach (JsonProperty member in entry.Json.EnumerateObject())
        {
            if (member.Name is "decision" or "stage" or "intent" or "arguments" or "result" or "argumentsDigest" or "resultDigest"
                    or "deliveredDigest" or "changes" or "answeredBy" or "trace" or "event" or "detail"
                && !AuditExport.IsKeyedDigest(member))
            {
                member.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
