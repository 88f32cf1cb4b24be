using System.Text.Json;

namespace Mcp.Guard.Cli.Terminal;

/// <summary>Writes an error or warning of a policy as JSON, for every verb alike.</summary>
internal static class PolicyErrorJson
{
    public static void Write(Utf8JsonWriter json, GuardPolicyError error)
    {
        json.WriteStartObject();
        json.WriteString("file", error.File);
        json.WriteNumber("line", error.Line);
        json.WriteNumber("column", error.Column);
        json.WriteString("location", error.Location);
        json.WriteString("message", error.Message);
        json.WriteString("fix", error.Fix);
        json.WriteEndObject();
    }
}
