using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>
/// Writes the members of a record into a line. It holds whatever the record holds: what is too long is cut and told with length and digest, what cannot be
/// written is left out and told with the reason. It never throws. Used by one thread.
/// </summary>
internal sealed class AuditRecordWriter(int maxContentBytes, AuditDigest digest)
{
    private const int MaxChanges = 64;

    private readonly AuditBuffer _notes = new();

    /// <summary>Writes <c>"time":…</c> to the last member of the record, without braces.</summary>
    public void Write(AuditRecord record, AuditBuffer buffer)
    {
        _notes.CutTo(0);
        buffer.Raw("\"time\":"u8);
        buffer.Time(record.Time);
        buffer.Raw(",\"kind\":"u8);
        buffer.Raw(AuditKindNames.Quoted(record.Kind));
        Text(buffer, ",\"id\":"u8, "id", record.DecisionId.Length == 0 ? null : record.DecisionId, 64);
        Text(buffer, ",\"user\":"u8, "user", record.UserId, 256);
        Text(buffer, ",\"session\":"u8, "session", record.SessionId, 256);
        Text(buffer, ",\"server\":"u8, "server", record.Server, 128);
        Text(buffer, ",\"method\":"u8, "method", record.Method, 128);
        Text(buffer, ",\"target\":"u8, "target", record.Target, 2048);
        Text(buffer, ",\"fingerprint\":"u8, "fingerprint", record.Fingerprint, 256);
        Text(buffer, ",\"intent\":"u8, "intent", record.Intent, 2048);
        Text(buffer, ",\"decision\":"u8, "decision", record.Decision, 64);
        Text(buffer, ",\"code\":"u8, "code", record.Code, 64);
        Text(buffer, ",\"stage\":"u8, "stage", record.Stage, 64);
        Text(buffer, ",\"rule\":"u8, "rule", record.Rule, 1024);
        Text(buffer, ",\"reason\":"u8, "reason", record.Reason, 2048);
        Text(buffer, ",\"policy\":"u8, "policy", record.PolicyRevision, 128);
        Content(buffer, ",\"arguments\":"u8, "arguments", record.Arguments);
        Content(buffer, ",\"result\":"u8, "result", record.Result);
        Text(buffer, ",\"argumentsDigest\":"u8, "argumentsDigest", record.ArgumentsDigest, 160);
        Text(buffer, ",\"resultDigest\":"u8, "resultDigest", record.ResultDigest, 160);
        Text(buffer, ",\"deliveredDigest\":"u8, "deliveredDigest", record.DeliveredDigest, 160);
        Changes(buffer, record);
        if (record.Duration is { } duration)
        {
            buffer.Raw(",\"durationUs\":"u8);
            buffer.Number(duration.Ticks / TimeSpan.TicksPerMicrosecond);
        }

        Text(buffer, ",\"answeredBy\":"u8, "answeredBy", record.AnsweredBy, 256);
        Text(buffer, ",\"protocol\":"u8, "protocol", record.ProtocolVersion, 64);
        Text(buffer, ",\"trace\":"u8, "trace", record.TraceId, 64);
        if (record.Count != 1)
        {
            buffer.Raw(",\"count\":"u8);
            buffer.Number(record.Count);
        }

        if (record.FirstTime is { } first)
        {
            buffer.Raw(",\"first\":"u8);
            buffer.Time(first);
        }

        if (_notes.Length > 0)
        {
            buffer.Raw(",\"notes\":{"u8);
            buffer.Raw(_notes.Written);
            buffer.Raw((byte)'}');
        }
    }

    /// <summary>Writes the little that is left where a record could not be written.</summary>
    public void WritePlaceholder(AuditRecord record, Exception fault, AuditBuffer buffer)
    {
        _notes.CutTo(0);
        buffer.Raw("\"time\":"u8);
        buffer.Time(record.Time);
        buffer.Raw(",\"kind\":"u8);
        buffer.Raw(AuditKindNames.Quoted(record.Kind));
        Text(buffer, ",\"id\":"u8, "id", record.DecisionId, 64);
        buffer.Raw(",\"notes\":{\"record\":"u8);
        buffer.Text($"unwritable: {fault.GetType().Name}");
        buffer.Raw((byte)'}');
    }

    private void Text(AuditBuffer buffer, ReadOnlySpan<byte> label, string name, string? value, int maxChars)
    {
        if (value is null)
        {
            return;
        }

        buffer.Raw(label);
        ReadOnlySpan<char> text = value;
        if (text.Length > maxChars)
        {
            // Half a pair would be recorded as U+FFFD and tell of a fault that the text does not have.
            text = text[..(char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars)];
            NoteCut(name, value.Length, "characters"u8, digest.Of(MemoryMarshal.AsBytes(value.AsSpan())));
        }

        if (buffer.Text(text) && text.Length == value.Length)
        {
            Note(name, "lone surrogates replaced");
        }
    }

    private void Content(AuditBuffer buffer, ReadOnlySpan<byte> label, string name, JsonElement value)
    {
        int start = buffer.Length;
        try
        {
            if (value.ValueKind == JsonValueKind.Undefined)
            {
                return;
            }

            ReadOnlySpan<byte> json = JsonMarshal.GetRawUtf8Value(value);
            buffer.Raw(label);
            int valueStart = buffer.Length;
            switch (AuditContentCopy.Copy(json, buffer, maxContentBytes))
            {
                case AuditCopyOutcome.Copied:
                    return;
                case AuditCopyOutcome.Replaced:
                    Note(name, "lone surrogates or invalid UTF-8 replaced");
                    return;
                case AuditCopyOutcome.TooLong:
                    string cut = Encoding.ASCII.GetString(buffer.Written.Slice(valueStart, int.Min(maxContentBytes, buffer.Length - valueStart)));
                    buffer.CutTo(valueStart);
                    buffer.Text(cut);
                    NoteCut(name, json.Length, "bytes"u8, digest.Of(json));
                    return;
                case AuditCopyOutcome.TooDeep:
                    buffer.CutTo(valueStart);
                    buffer.Raw("null"u8);
                    NoteCut(name, json.Length, "bytes"u8, digest.Of(json), "nested too deep to record");
                    return;
                default:
                    buffer.CutTo(valueStart);
                    buffer.Raw("null"u8);
                    NoteCut(name, json.Length, "bytes"u8, digest.Of(json), "not JSON");
                    return;
            }
        }
        catch (Exception fault) when (fault is InvalidOperationException or ObjectDisposedException or CryptographicException)
        {
            // A value whose document was returned to its pool, for one. The record is written all the same.
            buffer.CutTo(start);
            buffer.Raw(label);
            buffer.Raw("null"u8);
            Note(name, $"unreadable: {fault.GetType().Name}");
        }
    }

    private void Changes(AuditBuffer buffer, AuditRecord record)
    {
        int start = buffer.Length;
        try
        {
            // The list may be of a type that is not ours, and may change or throw while it is read.
            IReadOnlyList<string>? changes = record.Changes;
            int count = changes?.Count ?? 0;
            if (count == 0)
            {
                return;
            }

            buffer.Raw(",\"changes\":["u8);
            int shown = int.Min(count, MaxChanges);
            for (int i = 0; i < shown; i++)
            {
                if (i > 0)
                {
                    buffer.Raw((byte)',');
                }

                string change = changes![i] ?? string.Empty;
                buffer.Text(change.Length > 128 ? change.AsSpan(0, 128) : change);
            }

            buffer.Raw((byte)']');
            if (count > shown)
            {
                Note("changes", $"the first {MaxChanges} of {count}");
            }
        }
        catch (Exception fault)
        {
            buffer.CutTo(start);
            Note("changes", $"unreadable: {fault.GetType().Name}");
        }
    }

    private void Note(string name, string text)
    {
        Separate();
        _notes.Text(name);
        _notes.Raw((byte)':');
        _notes.Text(text);
    }

    private void NoteCut(string name, int length, ReadOnlySpan<byte> unit, string whole, string? reason = null)
    {
        Separate();
        _notes.Text(name);
        _notes.Raw(":{\""u8);
        _notes.Raw(unit);
        _notes.Raw("\":"u8);
        _notes.Number(length);
        _notes.Raw(",\"digest\":"u8);
        _notes.Text(whole);
        if (reason is not null)
        {
            _notes.Raw(",\"reason\":"u8);
            _notes.Text(reason);
        }

        _notes.Raw((byte)'}');
    }

    private void Separate()
    {
        if (_notes.Length > 0)
        {
            _notes.Raw((byte)',');
        }
    }
}
