using System.Buffers;
using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>A record of the log about itself that waits to be written with the next batch.</summary>
/// <param name="Event">What happened.</param>
/// <param name="DecisionId">The decision it is about; empty where it is about none.</param>
/// <param name="Detail">A JSON object in printable ASCII; empty for none.</param>
internal readonly record struct AuditLogNote(AuditLogEvent Event, string DecisionId, ReadOnlyMemory<byte> Detail)
{
    /// <summary>Builds a note; the writer's default encoder leaves printable ASCII only.</summary>
    public static AuditLogNote Make(AuditLogEvent kind, Action<Utf8JsonWriter> detail, string decisionId = "")
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            detail(writer);
            writer.WriteEndObject();
        }

        return new(kind, decisionId, bytes.WrittenMemory);
    }
}
