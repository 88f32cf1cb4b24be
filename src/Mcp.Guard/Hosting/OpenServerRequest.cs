namespace Mcp.Guard.Hosting;

/// <summary>A request of the server that waits for the host's answer.</summary>
internal sealed record OpenServerRequest(string Method, string? ProgressToken);
