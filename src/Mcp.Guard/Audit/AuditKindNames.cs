using System.Text.Json;

namespace Mcp.Guard.Audit;

/// <summary>The words for the kinds of record in the files.</summary>
internal static class AuditKindNames
{
    private static readonly string[] Names =
        ["none", "start", "intent", "denial", "outcome", "consent", "connection", "catalog", "policy", "halt", "serverMessage", "log"];

    public static ReadOnlySpan<byte> Quoted(AuditKind kind) => kind switch
    {
        AuditKind.Start => "\"start\""u8,
        AuditKind.Intent => "\"intent\""u8,
        AuditKind.Denial => "\"denial\""u8,
        AuditKind.Outcome => "\"outcome\""u8,
        AuditKind.Consent => "\"consent\""u8,
        AuditKind.Connection => "\"connection\""u8,
        AuditKind.Catalog => "\"catalog\""u8,
        AuditKind.Policy => "\"policy\""u8,
        AuditKind.Halt => "\"halt\""u8,
        AuditKind.ServerMessage => "\"serverMessage\""u8,
        AuditKind.Log => "\"log\""u8,
        _ => "\"none\""u8,
    };

    public static string Text(AuditKind kind) => (int)kind >= 0 && (int)kind < Names.Length ? Names[(int)kind] : Names[0];

    /// <summary>The kind of a word; <see cref="AuditKind.None"/> for words that are none.</summary>
    public static AuditKind Parse(string? text)
    {
        int index = Array.IndexOf(Names, text);
        return index > 0 ? (AuditKind)index : AuditKind.None;
    }

    /// <summary>The kind of the string that the reader stands on; <see cref="AuditKind.None"/> for anything else.</summary>
    public static AuditKind Parse(in Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            for (int i = 1; i < Names.Length; i++)
            {
                if (reader.ValueTextEquals(Names[i]))
                {
                    return (AuditKind)i;
                }
            }
        }

        return AuditKind.None;
    }
}
