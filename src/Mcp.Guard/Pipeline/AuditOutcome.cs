using System.Text.Json;

namespace Mcp.Guard.Pipeline;

/// <summary>What came back and what was delivered of it, and what the sanitiser found.</summary>
internal sealed record AuditOutcome(JsonElement Received, JsonElement Delivered, IReadOnlyList<string>? Changes, string? Findings = null);
