using Mcp.Guard.Stages.Concurrency;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>What is kept of a call that ended before its reply: enough to record a late one, and nothing of its payload.</summary>
internal sealed record AbandonedCall(RequestId Id, GuardCaller Caller, string DecisionId, string Method, string? Target, string? ProgressToken, ConcurrencyLease? Lease);
