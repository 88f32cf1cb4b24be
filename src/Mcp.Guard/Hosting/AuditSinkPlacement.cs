namespace Mcp.Guard.Hosting;

/// <summary>One more sink of the audit, as the builder was told.</summary>
internal sealed record AuditSinkPlacement(string Name, GuardPart<IAuditSink> Part, bool IsRequired);
