using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Hosting;

/// <summary>A request of the server that waits for the host's answer. Meanwhile the time of the call that it belongs to stands still.</summary>
/// <param name="Context">The request as it went to the host.</param>
/// <param name="Calls">The calls of one caller that it can belong to; when all have ended, an answer is too late.</param>
/// <param name="ProgressToken">Under which the host may report progress, or null.</param>
/// <param name="Pause">Ends with the answer.</param>
internal sealed record OpenServerRequest(ServerRequestContext Context, OpenCall[] Calls, string? ProgressToken, IDisposable? Pause);
