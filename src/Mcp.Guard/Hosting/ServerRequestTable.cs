using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The requests of the server that went on to the host and wait for its answer.</summary>
internal sealed class ServerRequestTable
{
    private readonly ConcurrentDictionary<RequestId, OpenServerRequest> _open = new();

    public bool TryOpen(RequestId id, ServerRequestContext context, OpenCall[] calls, IDisposable? pause) =>
        id.Id is not null && _open.Count < MessageLimits.MaxOpenServerRequests && _open.TryAdd(id, new OpenServerRequest(context, calls, ProgressToken(context.Payload), pause));

    /// <summary>Takes the request that an answer belongs to; null where none is open.</summary>
    public OpenServerRequest? TryClose(RequestId id)
    {
        if (id.Id is null || !_open.TryRemove(id, out OpenServerRequest? asked))
        {
            return null;
        }

        asked.Pause?.Dispose();
        return asked;
    }

    /// <summary>Whether a progress notification of the host belongs to an open request of the server.</summary>
    public bool OwnsProgress(JsonNode? parameters)
    {
        if (!MessageSnapshot.TryTake(parameters, MessageLimits.MaxRequestBytes, out JsonElement payload, out _)
            || payload.ValueKind != JsonValueKind.Object
            || !payload.TryGetProperty("progressToken"u8, out JsonElement token))
        {
            return false;
        }

        string raw = token.GetRawText();
        foreach (OpenServerRequest open in _open.Values)
        {
            if (string.Equals(open.ProgressToken, raw, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static string? ProgressToken(JsonElement payload) =>
        payload.ValueKind == JsonValueKind.Object
        && payload.TryGetProperty("_meta"u8, out JsonElement meta)
        && meta.ValueKind == JsonValueKind.Object
        && meta.TryGetProperty("progressToken"u8, out JsonElement token)
            ? token.GetRawText()
            : null;
}
