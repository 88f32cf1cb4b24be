using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>What the first record of a segment says about the segment and the one before.</summary>
internal sealed class AuditSegmentHeader
{
    /// <summary>The version of the file format.</summary>
    public const int FormatVersion = 1;

    public required string LogId { get; init; }

    /// <summary>The segment's own file name.</summary>
    public required string Name { get; init; }

    /// <summary>The file name of the segment before; null for the first of the log.</summary>
    public string? Previous { get; init; }

    public required string Algorithm { get; init; }

    public string? KeyId { get; init; }

    /// <summary>The decision ids of calls under way when the segment began.</summary>
    public IReadOnlyList<string> Open { get; init; } = [];

    /// <summary>Writes the members of <c>detail</c>.</summary>
    public void Write(AuditBuffer buffer)
    {
        buffer.Raw("{\"version\":"u8);
        buffer.Number(FormatVersion);
        buffer.Raw(",\"log\":"u8);
        buffer.Text(LogId);
        buffer.Raw(",\"name\":"u8);
        buffer.Text(Name);
        if (Previous is not null)
        {
            buffer.Raw(",\"previous\":"u8);
            buffer.Text(Previous);
        }

        buffer.Raw(",\"algorithm\":"u8);
        buffer.Text(Algorithm);
        if (KeyId is not null)
        {
            buffer.Raw(",\"keyId\":"u8);
            buffer.Text(KeyId);
        }

        if (Open.Count > 0)
        {
            buffer.Raw(",\"open\":["u8);
            for (int i = 0; i < Open.Count; i++)
            {
                if (i > 0)
                {
                    buffer.Raw((byte)',');
                }

                buffer.Text(Open[i]);
            }

            buffer.Raw((byte)']');
        }

        buffer.Raw((byte)'}');
    }

    /// <summary>Reads a header line; on failure the text says why. It never throws.</summary>
    public static AuditSegmentHeader? TryRead(in AuditLine line, out string? fault)
    {
        if (line.Event != AuditLogEvent.Segment)
        {
            fault = "the segment does not begin with its header";
            return null;
        }

        using JsonDocument? document = AuditLogDetail.TryParse(line, out JsonElement detail);
        if (document is null
            || Member(detail, "log") is not { Length: > 0 } log
            || Member(detail, "name") is not { } name
            || Member(detail, "algorithm") is not { } algorithm
            || !detail.TryGetProperty("version", out JsonElement version)
            || version.ValueKind != JsonValueKind.Number
            || !version.TryGetInt32(out int number))
        {
            fault = "the segment's header is incomplete";
            return null;
        }

        if (number != FormatVersion || algorithm is not (AuditChain.PlainAlgorithm or AuditChain.KeyedAlgorithm))
        {
            fault = "the segment's header names a format or algorithm that this version does not know";
            return null;
        }

        var open = new List<string>();
        if (detail.TryGetProperty("open", out JsonElement ids) && ids.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement id in ids.EnumerateArray())
            {
                if (id.ValueKind == JsonValueKind.String && open.Count < AuditOpenIntents.MaxListed)
                {
                    open.Add(id.GetString()!);
                }
            }
        }

        fault = null;
        return new() { LogId = log, Name = name, Previous = Member(detail, "previous"), Algorithm = algorithm, KeyId = Member(detail, "keyId"), Open = open };
    }

    private static string? Member(JsonElement detail, string name) => AuditLogDetail.Text(detail, name);
}
