namespace Mcp.Guard.Hosting;

/// <summary>A request of the server that waits for the host's answer. Meanwhile the time of the call that it belongs to stands still.</summary>
internal sealed record OpenServerRequest(string Method, string? ProgressToken, IDisposable? Pause);
