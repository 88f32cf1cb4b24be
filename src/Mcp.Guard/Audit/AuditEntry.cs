using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard;

/// <summary>One record as it was read from a log.</summary>
public sealed class AuditEntry
{
    internal AuditEntry(string segment, long sequence, JsonElement json)
    {
        Segment = segment;
        Sequence = sequence;
        Json = json;
        Kind = AuditKindNames.Parse(Text("kind"));
    }

    /// <summary>The file that holds it.</summary>
    public string Segment { get; }

    /// <summary>Its number.</summary>
    public long Sequence { get; }

    /// <summary>What it tells.</summary>
    public AuditKind Kind { get; }

    /// <summary>For records of the log about itself, what happened, for example <c>opened</c>; otherwise null.</summary>
    public string? Event => Text("event");

    /// <summary>When, in UTC; the earliest time there is where it cannot be read.</summary>
    public DateTimeOffset Time => Moment("time") ?? DateTimeOffset.MinValue;

    /// <summary>The record as it stands in the file, keyed digests included: for the eyes of those who may read the log itself.</summary>
    public JsonElement Json { get; }

    /// <summary>The record as the guard wrote it.</summary>
    public AuditRecord ToRecord() => new()
    {
        Kind = Kind,
        Time = Time,
        DecisionId = Text("id") ?? string.Empty,
        UserId = Text("user"),
        SessionId = Text("session"),
        Server = Text("server"),
        Method = Text("method"),
        Target = Text("target"),
        Fingerprint = Text("fingerprint"),
        Intent = Text("intent"),
        Decision = Text("decision"),
        Code = Text("code"),
        Stage = Text("stage"),
        Rule = Text("rule"),
        Reason = Text("reason"),
        PolicyRevision = Text("policy"),
        Arguments = Json.TryGetProperty("arguments", out JsonElement arguments) ? arguments : default,
        Result = Json.TryGetProperty("result", out JsonElement result) ? result : default,
        ArgumentsDigest = Text("argumentsDigest"),
        ResultDigest = Text("resultDigest"),
        DeliveredDigest = Text("deliveredDigest"),
        Changes = Texts("changes"),
        Duration = Number("durationUs") is { } microseconds ? TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond) : null,
        AnsweredBy = Text("answeredBy"),
        ProtocolVersion = Text("protocol"),
        TraceId = Text("trace"),
        Count = Number("count") ?? 1,
        FirstTime = Moment("first"),
    };

    internal string? Text(string name)
    {
        try
        {
            return Json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate: the log writes none, so the file was changed.
            return null;
        }
    }

    private long? Number(string name) =>
        Json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            && Math.Abs((double)number) < long.MaxValue / TimeSpan.TicksPerMicrosecond
            ? number
            : null;

    private DateTimeOffset? Moment(string name) =>
        Text(name) is { } text
        && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time)
            ? time
            : null;

    private List<string> Texts(string name)
    {
        var texts = new List<string>();
        if (Json.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in list.EnumerateArray())
            {
                try
                {
                    if (item.ValueKind == JsonValueKind.String)
                    {
                        texts.Add(item.GetString()!);
                    }
                }
                catch (InvalidOperationException)
                {
                    // As above.
                }
            }
        }

        return texts;
    }
}
