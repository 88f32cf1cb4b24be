using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <content>
/// Calls of the one client of a gateway over standard streams, answered without the SDK's server, which reads each into objects and writes it out again. The same
/// steps as through it: caller, load, judgement at the server's transport. What the SDK checks of a request is checked here, or the request is left to it.
/// </content>
internal sealed partial class GatewayServer
{
    private const string MetaPrefix = "io.modelcontextprotocol/";

    /// <summary>Whether a call can be answered here: nothing of the host's own has a say in it, and it is as plain as calls are.</summary>
    /// <param name="line">The call.</param>
    /// <param name="server">The connection to the client.</param>
    public bool Takes(CallLine line, McpServer server)
    {
        if (_own is not null || !ForwardsAny || server.NegotiatedProtocolVersion is not { } version)
        {
            return false;
        }

        bool hasMeta = false;
        foreach (JsonProperty member in line.Parameters.EnumerateObject())
        {
            bool isPlain = member.Name switch
            {
                "name" => member.Value.ValueKind == JsonValueKind.String,
                "arguments" => member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Null,
                "requestState" => MethodTable.IsStateless(version) && member.Value.ValueKind == JsonValueKind.String && SuspendedCalls.IsOwn(member.Value.GetString()!),
                "inputResponses" => MethodTable.IsStateless(version) && member.Value.ValueKind == JsonValueKind.Object,
                "_meta" => hasMeta = IsMetaOf(member.Value, version),
                _ => false,
            };
            if (!isPlain)
            {
                return false;
            }
        }

        return (hasMeta || !MethodTable.IsStateless(version)) && line.Parameters.TryGetProperty("name"u8, out _);
    }

    /// <summary>Answers a call. Never fails but by its cancellation.</summary>
    public async Task<JsonRpcMessageWithId> AnswerAsync(CallLine line, McpServer server, CancellationToken ct)
    {
        GuardCaller caller = _local ?? _nobody;
        bool stateless = MethodTable.IsStateless(server.NegotiatedProtocolVersion);
        using IDisposable scope = AmbientCaller.Begin(caller);
        GatewaySubscriber.Connection = !stateless && server.ClientCapabilities is { } session ? _audience.ConnectionOf(server, session, caller) : null;
        if (!_load.TryEnter(caller))
        {
            string decisionId = await RecordAsync(caller, RequestMethods.ToolsCall, null, GuardDenialCodes.TooManyCalls, "the caller has too many requests open", ct).ConfigureAwait(false);
            return Error(line.Id, Refused(new GuardDenial(GuardDenialCodes.TooManyCalls, "gateway", string.Empty), decisionId));
        }

        try
        {
            JsonElement meta = line.Parameters.TryGetProperty("_meta"u8, out JsonElement given) ? given : default;
            ClientCapabilities? capabilities = stateless ? CapabilitiesIn(meta) : server.ClientCapabilities;
            var call = new GatewayCall(caller, server, carriesQuestions: stateless)
            {
                CanSample = capabilities?.Sampling is not null,
                CanShowForms = capabilities?.Elicitation is { } elicitation && (elicitation.Form is not null || elicitation.Url is null),
                CanShowUrls = capabilities?.Elicitation?.Url is not null,
            };
            GatewayCall.Current = call;
            GatewayOutcome outcome = await CallToolAsync(call, line.Parameters, parameters: null, isOwnTool: false, ct).ConfigureAwait(false);
            if (outcome.Question is { } question)
            {
                question.ResultType = "input_required";
                return new JsonRpcResponse { Id = line.Id, Result = JsonSerializer.SerializeToNode(question, TypeOf<InputRequiredResult>()) };
            }

            JsonObject answer = outcome.Answer!;
            if (stateless)
            {
                answer["resultType"] = "complete";
            }

            return new JsonRpcResponse { Id = line.Id, Result = answer };
        }
        catch (McpProtocolException told)
        {
            return Error(line.Id, told);
        }
        finally
        {
            _load.Leave(caller);
        }
    }

    /// <summary>2026-07-28 says with every request what 2025-11-25 says once, and forbids there; the SDK answers whatever is not as it should be.</summary>
    private static bool IsMetaOf(JsonElement meta, string version)
    {
        if (meta.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        bool isVersion = false;
        bool isCapable = false;
        foreach (JsonProperty member in meta.EnumerateObject())
        {
            if (!member.Name.StartsWith(MetaPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            if (!MethodTable.IsStateless(version))
            {
                return false;
            }

            switch (member.Name[MetaPrefix.Length..])
            {
                case "protocolVersion":
                    isVersion = member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals(version);
                    break;
                case "clientCapabilities":
                    isCapable = member.Value.ValueKind == JsonValueKind.Object;
                    break;
                case "clientInfo" when member.Value.ValueKind == JsonValueKind.Object:
                    break;
                case "logLevel" when member.Value.ValueKind == JsonValueKind.String && LogLevels.RankOf(member.Value.GetString()) is not null:
                    break;
                default:
                    return false;
            }
        }

        return !MethodTable.IsStateless(version) || (isVersion && isCapable);
    }

    private static ClientCapabilities? CapabilitiesIn(JsonElement meta)
    {
        if (meta.ValueKind != JsonValueKind.Object || !meta.TryGetProperty("io.modelcontextprotocol/clientCapabilities"u8, out JsonElement said) || said.EnumerateObject().MoveNext() == false)
        {
            return null;
        }

        try
        {
            return said.Deserialize(TypeOf<ClientCapabilities>());
        }
        catch (JsonException)
        {
            return null; // it cannot be asked, so what has to be asked is denied
        }
    }

    private static JsonRpcError Error(RequestId id, McpProtocolException told)
    {
        JsonObject? data = null;
        foreach (System.Collections.DictionaryEntry entry in told.Data)
        {
            if (entry.Key is string key)
            {
                JsonNode? value = entry.Value switch
                {
                    JsonElement element => JsonSerializer.SerializeToNode(element, TypeOf<JsonElement>()),
                    string text => JsonValue.Create(text),
                    double number => JsonValue.Create(number),
                    bool flag => JsonValue.Create(flag),
                    _ => null,
                };
                (data ??= [])[key] = value;
            }
        }

        return new JsonRpcError { Id = id, Error = new JsonRpcErrorDetail { Code = (int)told.ErrorCode, Message = told.Message, Data = data?.Deserialize(TypeOf<JsonElement>()) } };
    }
}
