using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>What came back and what was delivered of it.</summary>
internal sealed record AuditOutcome(JsonElement Received, JsonElement Delivered, IReadOnlyList<string>? Changes);
