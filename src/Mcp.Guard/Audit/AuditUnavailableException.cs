namespace Mcp.Guard.Audit;

/// <summary>A record was not written as promised; the call that it belongs to must not leave.</summary>
internal sealed class AuditUnavailableException(string message, Exception? inner = null) : IOException(message, inner);
