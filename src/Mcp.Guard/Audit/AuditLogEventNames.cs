using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>The words for the log's own events in the files.</summary>
internal static class AuditLogEventNames
{
    private static readonly string[] Names =
        ["", "segment", "opened", "closed", "recovered", "damaged", "openIntent", "intentWithdrawn", "retention", "resumed"];

    public static string Text(AuditLogEvent value) => Names[(int)value];

    /// <summary>The event of a word, <see cref="AuditLogEvent.None"/> for words that are none.</summary>
    public static AuditLogEvent Parse(in Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            for (int i = 1; i < Names.Length; i++)
            {
                if (reader.ValueTextEquals(Names[i]))
                {
                    return (AuditLogEvent)i;
                }
            }
        }

        return AuditLogEvent.None;
    }
}
