using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>What came of the part of a call that may ask: the result of a call that was passed on or denied, or the judged call of an own tool.</summary>
internal readonly record struct GatewayOutcome(CallToolResult? Result, Evaluation? Evaluation);
