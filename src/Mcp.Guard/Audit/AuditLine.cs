using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>
/// One line as it lies in the file: <c>{"seq":N,…,"prev":"…","hash":"…"}</c>. The hash covers every byte before <c>,"hash":"</c>, and so the hash of the
/// record before, which is <c>prev</c>.
/// </summary>
internal readonly ref struct AuditLine
{
    /// <summary>The length of <c>,"hash":"…"}</c>.</summary>
    public const int HashSuffixBytes = 9 + AuditChain.HexChars + 2;

    private const int PreviousBytes = 9 + AuditChain.HexChars + 1;
    private const int SuffixBytes = PreviousBytes + HashSuffixBytes;

    private AuditLine(ReadOnlySpan<byte> line)
    {
        Bytes = line;
    }

    /// <summary>The whole line, without its line feed.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    public long Sequence { get; private init; }

    public AuditKind Kind { get; private init; }

    /// <summary>For records of the log about itself, what happened; otherwise <see cref="AuditLogEvent.None"/>.</summary>
    public AuditLogEvent Event { get; private init; }

    /// <summary>Ticks in UTC; 0 where the time cannot be read.</summary>
    public long TimeTicks { get; private init; }

    /// <summary>The decision id, escapes as written; empty where there is none.</summary>
    public ReadOnlySpan<byte> DecisionId { get; private init; }

    /// <summary>What the hash covers.</summary>
    public ReadOnlySpan<byte> Content => Bytes[..^HashSuffixBytes];

    /// <summary>The hash of the record before, as written.</summary>
    public ReadOnlySpan<byte> Previous => Bytes.Slice(Bytes.Length - SuffixBytes + 9, AuditChain.HexChars);

    /// <summary>The hash, as written.</summary>
    public ReadOnlySpan<byte> Hash => Bytes.Slice(Bytes.Length - 2 - AuditChain.HexChars, AuditChain.HexChars);

    /// <summary>Reads a line; on failure the text says what is wrong with it. It never throws.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out AuditLine line, out string? fault)
    {
        line = default;
        if (bytes.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e))
        {
            fault = bytes.EndsWith((byte)'\r')
                ? "the line ends in a carriage return: the file was converted"
                : "a byte that the log never writes";
            return false;
        }

        if (bytes.Length < SuffixBytes + 8
            || !bytes.StartsWith("{\"seq\":"u8)
            || !bytes[^SuffixBytes..].StartsWith(",\"prev\":\""u8)
            || !bytes[^(HashSuffixBytes + 1)..].StartsWith("\",\"hash\":\""u8)
            || !bytes.EndsWith("\"}"u8))
        {
            fault = "not a record: its first or last members are missing";
            return false;
        }

        return TryReadMembers(bytes, out line, out fault);
    }

    private static bool TryReadMembers(ReadOnlySpan<byte> bytes, out AuditLine line, out string? fault)
    {
        line = default;
        long sequence = 0;
        long ticks = 0;
        AuditKind kind = AuditKind.None;
        AuditLogEvent logEvent = AuditLogEvent.None;
        ReadOnlySpan<byte> id = default;
        try
        {
            var reader = new Utf8JsonReader(bytes);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("seq"u8))
                {
                    reader.Read();
                    reader.TryGetInt64(out sequence);
                }
                else if (reader.ValueTextEquals("time"u8))
                {
                    reader.Read();
                    ticks = reader.TokenType == JsonTokenType.String && reader.TryGetDateTime(out DateTime time) ? time.Ticks : 0;
                }
                else if (reader.ValueTextEquals("kind"u8))
                {
                    reader.Read();
                    kind = AuditKindNames.Parse(reader);
                }
                else if (reader.ValueTextEquals("event"u8))
                {
                    reader.Read();
                    logEvent = AuditLogEventNames.Parse(reader);
                }
                else if (reader.ValueTextEquals("id"u8))
                {
                    reader.Read();
                    id = reader.TokenType == JsonTokenType.String ? reader.ValueSpan : default;
                }
                else
                {
                    reader.Skip();
                }
            }

            if (reader.Read())
            {
                fault = "more than one value";
                return false;
            }
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            fault = "not JSON";
            return false;
        }

        fault = sequence < 1 ? "no sequence number" : null;
        line = new(bytes) { Sequence = sequence, TimeTicks = ticks, Kind = kind, Event = logEvent, DecisionId = id };
        return fault is null;
    }
}
