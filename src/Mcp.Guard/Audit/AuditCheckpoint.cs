using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard;

/// <summary>
/// How long the log was and what its last hash was at one moment. Kept elsewhere, it shows that a log was cut, rolled back or made anew.
/// </summary>
public sealed class AuditCheckpoint
{
    internal const int MaxBytes = 4096;

    /// <summary>The id of the log, made at random when the log began.</summary>
    public required string LogId { get; init; }

    /// <summary>The number of the last record, which is the count of all records ever written.</summary>
    public required long Sequence { get; init; }

    /// <summary>The hash of that record: 64 lower-case hexadecimal digits.</summary>
    public required string Head { get; init; }

    /// <summary>When it was made, in UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>HMAC-SHA-256 over the values above: 64 lower-case hexadecimal digits; null where the host gave no key.</summary>
    public string? Mac { get; init; }

    /// <summary>The checkpoint as one line of JSON, without the line feed.</summary>
    public string ToJson()
    {
        var output = new ArrayBufferWriter<byte>(320);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteString("log", LogId);
            writer.WriteNumber("sequence", Sequence);
            writer.WriteString("head", Head);
            writer.WriteString("time", Time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            if (Mac is not null)
            {
                writer.WriteString("mac", Mac);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote. It never throws.</summary>
    /// <param name="json">UTF-8 text, with or without a line feed at its end.</param>
    /// <param name="checkpoint">The checkpoint, where the text is one.</param>
    public static bool TryParse(ReadOnlySpan<byte> json, out AuditCheckpoint? checkpoint)
    {
        checkpoint = null;
        if (json.Length > MaxBytes)
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            while (reader.Read())
            {
                return false;
            }

            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || Member(root, "log") is not { Length: > 0 } log
                || !root.TryGetProperty("sequence", out JsonElement sequence)
                || !sequence.TryGetInt64(out long count)
                || count < 1
                || Member(root, "head") is not { } head
                || !AuditHex.IsHash(head)
                || Member(root, "time") is not { } time
                || !DateTimeOffset.TryParseExact(time, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment))
            {
                return false;
            }

            string? mac = Member(root, "mac");
            if (mac is not null && !AuditHex.IsHash(mac))
            {
                return false;
            }

            checkpoint = new() { LogId = log, Sequence = count, Head = head, Time = moment, Mac = mac };
            return true;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    internal static AuditCheckpoint Make(string logId, long sequence, ReadOnlySpan<byte> head, DateTimeOffset time, ReadOnlySpan<byte> key)
    {
        var bare = new AuditCheckpoint { LogId = logId, Sequence = sequence, Head = Convert.ToHexStringLower(head), Time = time };
        return key.IsEmpty ? bare : new() { LogId = logId, Sequence = sequence, Head = bare.Head, Time = time, Mac = bare.ComputeMac(key) };
    }

    /// <summary>The checkpoint that a file holds; null where it holds none.</summary>
    internal static AuditCheckpoint? Read(IAuditStorage storage, string path)
    {
        byte[] bytes = new byte[MaxBytes];
        using Stream stream = storage.OpenRead(path);
        int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return TryParse(bytes.AsSpan(0, length), out AuditCheckpoint? checkpoint) ? checkpoint : null;
    }

    /// <summary>Why a log does not agree with its checkpoint; null where it does.</summary>
    internal static string? FaultOf(AuditCheckpoint? checkpoint, ReadOnlySpan<byte> key, string logId, long sequence, ReadOnlySpan<byte> head) =>
        checkpoint is null ? "the checkpoint file holds no checkpoint"
        : !key.IsEmpty && !checkpoint.IsSignedWith(key) ? "the checkpoint is not signed with the log's key"
        : !string.Equals(checkpoint.LogId, logId, StringComparison.Ordinal) ? "the log is not the one that its checkpoint knows"
        : checkpoint.Sequence > sequence ? "the log ends before its checkpoint: it was cut or rolled back"
        : checkpoint.Sequence == sequence && !string.Equals(checkpoint.Head, Convert.ToHexStringLower(head), StringComparison.Ordinal) ? "the log's last record is not the one that its checkpoint knows"
        : null;

    /// <summary>True where the checkpoint carries the HMAC that this key makes.</summary>
    internal bool IsSignedWith(ReadOnlySpan<byte> key) =>
        Mac is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Mac), Encoding.ASCII.GetBytes(ComputeMac(key)));

    private string ComputeMac(ReadOnlySpan<byte> key)
    {
        // The first word keeps this use of the key apart from the records' own; a line feed cannot occur inside a value that was parsed as JSON
        // without being escaped, and the id comes last so that no value can take the place of another.
        string text = string.Create(
            CultureInfo.InvariantCulture, $"mcp-guard checkpoint 1\n{Sequence}\n{Head}\n{Time.UtcTicks}\n{LogId}");
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }

    private static string? Member(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
