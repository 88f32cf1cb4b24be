using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Mcp.Guard.Audit;

namespace Mcp.Guard.Pipeline;

/// <summary>The span and the metrics of one request, from its arrival to its end. Ending it again changes nothing.</summary>
internal sealed class RequestSpan
{
    private readonly RequestContext _context;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly Activity? _activity;
    private int _ended;

    public RequestSpan(RequestContext context, TimeProvider time)
    {
        _context = context;
        _time = time;
        _started = time.GetTimestamp();
        _activity = GuardTelemetry.StartRequest(context.Method, context.TargetName, context.Server.Id, context.ProtocolVersion);
        context.TraceId = (_activity ?? Activity.Current)?.TraceId.ToHexString();
    }

    /// <summary>How long the request has taken so far.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

    private bool IsHeard => _activity is not null || GuardTelemetry.MeasuresRequests;

    public void Decide(string decision, string? code) => GuardTelemetry.CountDecision(_context.Method, _context.Server.Id, decision, code);

    /// <param name="decision">The decision or outcome in one word.</param>
    /// <param name="errorType">The denial code; null where it succeeded.</param>
    public void End(string decision, string? errorType)
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0 && IsHeard)
        {
            GuardTelemetry.EndRequest(
                _activity,
                _context.Method,
                _context.TargetName,
                _context.Server.Id,
                decision,
                errorType,
                _context.DecisionId,
                Elapsed,
                isKnown: IsKnown(errorType));
        }
    }

    /// <summary>The same for a request that was answered.</summary>
    /// <param name="decision">The outcome in one word.</param>
    /// <param name="refused">Why the answer is not delivered; null where it is.</param>
    /// <param name="answer">What is delivered.</param>
    /// <param name="isError">Whether it is a JSON-RPC error.</param>
    public void EndAnswered(string decision, GuardDenial? refused, JsonElement answer, bool isError) =>
        End(decision, refused?.Code ?? (IsHeard ? ErrorTypeOf(answer, isError) : null));

    /// <summary>True where the server listed the tool, or answered for the prompt.</summary>
    private bool IsKnown(string? errorType) => _context.Kind switch
    {
        RequestKind.ToolCall => _context.TargetName is { } tool && _context.Connection.Tools.Find(tool) is not null,
        RequestKind.Prompt => errorType is null,
        _ => false,
    };

    /// <summary>What OpenTelemetry's conventions for MCP call the error type: the JSON-RPC code, or <c>tool_error</c>; null for a success.</summary>
    public static string? ErrorTypeOf(JsonElement answer, bool isError)
    {
        if (answer.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (isError)
        {
            return answer.TryGetProperty("code"u8, out JsonElement code) && code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out int number)
                ? ErrorCode(number)
                : "_OTHER";
        }

        return answer.TryGetProperty("isError"u8, out JsonElement failed) && failed.ValueKind == JsonValueKind.True ? "tool_error" : null;
    }

    /// <summary>The server chooses the code, so only those that JSON-RPC and MCP define count apart.</summary>
    private static string ErrorCode(int code) =>
        code is -32700 or (>= -32603 and <= -32600) or (>= -32099 and <= -32000) ? code.ToString(CultureInfo.InvariantCulture) : "_OTHER";
}
