using System.Globalization;
using System.Text.Json;

namespace Mcp.Guard.Tests.Audit;

/// <summary>Records as the guard writes them.</summary>
internal static class AuditSamples
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly JsonElement Arguments = JsonDocument.Parse("""{ "path": "/srv/project/notes.txt", "limit": 20 }""").RootElement.Clone();

    public static AuditRecord Intent(string id, DateTimeOffset? time = null) => new()
    {
        Kind = AuditKind.Intent,
        Time = time ?? Noon,
        DecisionId = id,
        UserId = "ada",
        SessionId = "session-1",
        Server = "files",
        Method = "tools/call",
        Target = "read_file",
        Fingerprint = "sha256:8c6f1d0a3b",
        Intent = "read the notes before the summary",
        Decision = "allow",
        Rule = "readers",
        PolicyRevision = "4f2a9d",
        Arguments = Arguments,
        ArgumentsDigest = "sha256:0011223344556677",
        ProtocolVersion = "2025-11-25",
    };

    public static AuditRecord Outcome(string id, DateTimeOffset? time = null) => new()
    {
        Kind = AuditKind.Outcome,
        Time = time ?? Noon,
        DecisionId = id,
        UserId = "ada",
        SessionId = "session-1",
        Server = "files",
        Method = "tools/call",
        Target = "read_file",
        Decision = "delivered",
        Duration = TimeSpan.FromMilliseconds(12.5),
    };

    public static AuditRecord Denial(string id, string code = GuardDenialCodes.RuleDenied) => new()
    {
        Kind = AuditKind.Denial,
        Time = Noon,
        DecisionId = id,
        UserId = "ada",
        SessionId = "session-1",
        Server = "files",
        Method = "tools/call",
        Target = "move_file",
        Decision = "deny",
        Code = code,
        Stage = "rules",
        Rule = "no-moves",
        Reason = "denied by rule no-moves",
    };

    public static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"01990000-0000-7000-8000-{number:D12}");
}
