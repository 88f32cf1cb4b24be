using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;
using Mcp.Guard.Cli.Terminal;

namespace Mcp.Guard.Cli.Audit;

/// <summary>
/// A record as lines of a table of fixed columns, so that a log of any length is shown as it is read. Every text of a record is hostile: all but printable
/// ASCII is escaped, which also keeps the columns straight.
/// </summary>
internal sealed class AuditRow
{
    private const int SequenceWidth = 7;
    private const int TimeWidth = 19;
    private const int KindWidth = 10;
    private const int MaxText = 2_048;

    private readonly int _server;
    private readonly int _target;
    private readonly int _verdict;
    private readonly int _width;

    /// <param name="width">Columns of the terminal.</param>
    public AuditRow(int width)
    {
        _width = Math.Max(width, 80);
        int rest = _width - SequenceWidth - TimeWidth - KindWidth - 5;
        _server = Math.Clamp(rest / 5, 8, 20);
        _target = Math.Clamp(rest / 3, 12, 40);
        _verdict = rest - _server - _target;
    }

    public string Header =>
        $"{"SEQ".PadLeft(SequenceWidth)} {"TIME (UTC)".PadRight(TimeWidth)} {"KIND".PadRight(KindWidth)} {"SERVER".PadRight(_server)} {"TARGET".PadRight(_target)} VERDICT";

    /// <summary>The record on one line, or on more where its verdict is longer than its column.</summary>
    public IEnumerable<string> Lines(AuditEntry entry)
    {
        string verdict = Verdict(entry);
        string indent = new(' ', _width - _verdict);
        string first = string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Sequence,SequenceWidth} {Time(entry),-TimeWidth} {Fit(Kind(entry), KindWidth)} {Fit(entry.Text("server"), _server)} {Fit(entry.Text("target") ?? entry.Text("method"), _target)} ");
        foreach (string piece in Wrap(verdict, _verdict))
        {
            yield return (first + piece).TrimEnd();
            first = indent;
        }
    }

    /// <summary>Everything else that the record says, a member a line.</summary>
    public IEnumerable<string> Details(AuditEntry entry)
    {
        const int indent = 8;
        const int label = 16;
        using JsonDocument told = Exported(entry);
        foreach (JsonProperty member in told.RootElement.EnumerateObject())
        {
            if (member.Name is "seq" or "time" or "kind" or "server" or "decision" or "code")
            {
                continue;
            }

            string value = member.Value.ValueKind == JsonValueKind.String ? AuditContentText.Escape(TextOf(member.Value), MaxText) : AuditContentText.Of(member.Value);
            string first = $"{new string(' ', indent)}{AuditContentText.Escape(member.Name, label - 2).PadRight(label)}";
            foreach (string piece in Wrap(value, _width - indent - label))
            {
                yield return (first + piece).TrimEnd();
                first = new string(' ', indent + label);
            }
        }
    }

    /// <summary>What a line of the record is coloured by.</summary>
    public static Tone ToneOf(AuditEntry entry) =>
        entry.Event is "damaged" or "resumed" ? Tone.Bad
        : entry.Event is "openIntent" or "recovered" ? Tone.Caution
        : AuditVerdictWords.IsRefusal(entry) ? Tone.Bad
        : entry.Kind == AuditKind.Consent || (entry.Kind == AuditKind.Catalog && entry.Text("decision") is "new" or "changed" or "refused") ? Tone.Caution
        : entry.Kind == AuditKind.Outcome && AuditVerdictWords.IsPassed(entry) ? Tone.Good
        : entry.Kind is AuditKind.Intent or AuditKind.Outcome ? Tone.Plain
        : Tone.Faint;

    /// <summary>What may be read of it outside the log: no links, no keyed digests.</summary>
    private static JsonDocument Exported(AuditEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            AuditExport.Write(entry, writer);
        }

        return JsonDocument.Parse(buffer.WrittenMemory);
    }

    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return string.Empty; // a lone surrogate: the log writes none, so the file was changed
        }
    }

    private static string Time(AuditEntry entry) => entry.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Kind(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.ServerMessage => "server msg",
        AuditKind.None => "?",
        _ => AuditKindNames.Text(entry.Kind),
    };

    private static string Verdict(AuditEntry entry)
    {
        var text = new StringBuilder();
        AuditRecord record = entry.ToRecord();
        if (entry.Kind != AuditKind.Denial || record.Code is null)
        {
            Add(text, entry.Event ?? record.Decision);
        }

        if (!string.Equals(record.Code, record.Decision, StringComparison.Ordinal))
        {
            Add(text, record.Code);
        }
        if (record.Duration is { } duration)
        {
            text.Append(CultureInfo.InvariantCulture, $" {duration.TotalMilliseconds:0.#} ms");
        }

        if (record.Count > 1)
        {
            text.Append(CultureInfo.InvariantCulture, $" x{record.Count}");
        }

        return text.ToString().TrimStart();
    }

    private static void Add(StringBuilder text, string? word)
    {
        if (!string.IsNullOrEmpty(word))
        {
            text.Append(' ').Append(AuditContentText.Escape(word, 64));
        }
    }

    /// <summary>A text in exactly so many columns; a longer one loses its middle, because names differ at their ends.</summary>
    private static string Fit(string? text, int width)
    {
        string shown = AuditContentText.Escape(text, MaxText);
        if (shown.Length <= width)
        {
            return shown.PadRight(width);
        }

        int head = (width - 2) / 2;
        return string.Concat(shown.AsSpan(0, head), "..", shown.AsSpan(shown.Length - (width - 2 - head)));
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        do
        {
            int end = text.Length <= width ? text.Length : text.LastIndexOf(' ', width);
            if (end <= 0)
            {
                end = Math.Min(width, text.Length);
            }

            yield return text[..end];
            text = text[end..].TrimStart(' ');
        }
        while (text.Length > 0);
    }
}
