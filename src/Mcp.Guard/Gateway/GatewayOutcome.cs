using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Gateway;

/// <summary>What came of the part of a call that may ask: one of the three.</summary>
/// <param name="Answer">The result of a call that was passed on, as it was judged, or a denial.</param>
/// <param name="Evaluation">The judged call of an own tool, which is still to run.</param>
/// <param name="Question">What the client has to answer first.</param>
internal readonly record struct GatewayOutcome(JsonObject? Answer = null, Evaluation? Evaluation = null, InputRequiredResult? Question = null);
