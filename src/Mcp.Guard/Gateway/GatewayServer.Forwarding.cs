using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Pipeline;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Mcp.Guard.Gateway;

/// <content>Prompts, resources and completion: the gateway's own, and those of the servers that requests are passed on to.</content>
internal sealed partial class GatewayServer
{
    // ---- prompts ----------------------------------------------------------------------------------------------------------------------------

    public McpRequestHandler<ListPromptsRequestParams, ListPromptsResult> FilterPromptList(McpRequestHandler<ListPromptsRequestParams, ListPromptsResult> next) =>
        async (request, ct) =>
        {
            ListPromptsResult result = await OwnListAsync(RequestMethods.PromptsList, next, request, ct).ConfigureAwait(false);
            if (request.Params?.Cursor is null)
            {
                var names = new HashSet<string>(result.Prompts.Select(static prompt => prompt.Name), StringComparer.Ordinal);
                await foreach (Prompt prompt in OfAllAsync(static (forward, ct) => forward.ListPromptsAsync(ct), ct).ConfigureAwait(false))
                {
                    if (names.Add(prompt.Name))
                    {
                        result.Prompts.Add(prompt);
                    }
                }
            }

            return result;
        };

    public McpRequestHandler<GetPromptRequestParams, GetPromptResult> FilterPrompt(McpRequestHandler<GetPromptRequestParams, GetPromptResult> next)
    {
        McpRequestHandler<GetPromptRequestParams, GetPromptResult> own = Judged(RequestMethods.PromptsGet, next);
        return async (request, ct) =>
        {
            if (request.Params?.Name is not { } name)
            {
                return await own(request, ct).ConfigureAwait(false);
            }

            (GatewayForward? forward, string? prompt) = await FindPromptAsync(request.JsonRpcRequest.Method, name, request.MatchedPrimitive is not null, ct).ConfigureAwait(false);
            return forward is null
                ? await own(request, ct).ConfigureAwait(false)
                : await PassAsync(request, forward, call => forward.GetPromptAsync(prompt!, request.Params.Arguments, call, ct), ct).ConfigureAwait(false);
        };
    }

    /// <summary>Whose prompt a name is; null where it is none of the servers'. A name that two offer is nobody's.</summary>
    private async ValueTask<(GatewayForward? Forward, string? Prompt)> FindPromptAsync(string method, string name, bool isOwn, CancellationToken ct)
    {
        GatewayForward? forward = null;
        string? prompt = null;
        foreach (GatewayForward candidate in _forwards)
        {
            string? found = null;
            try
            {
                found = await candidate.FindPromptAsync(name, ct).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                GatewayLog.NotListed(_logger, candidate.ServerId, failure);
            }

            if (found is null)
            {
                continue;
            }

            if (forward is not null || isOwn)
            {
                throw await RefuseAsync(method, name, GuardDenialCodes.NameCollision, "two servers offer a prompt of this name", null, ct).ConfigureAwait(false);
            }

            (forward, prompt) = (candidate, found);
        }

        return (forward, prompt);
    }

    // ---- resources --------------------------------------------------------------------------------------------------------------------------

    public McpRequestHandler<ListResourcesRequestParams, ListResourcesResult> FilterResourceList(McpRequestHandler<ListResourcesRequestParams, ListResourcesResult> next) =>
        async (request, ct) =>
        {
            ListResourcesResult result = await OwnListAsync(RequestMethods.ResourcesList, next, request, ct).ConfigureAwait(false);
            if (request.Params?.Cursor is null)
            {
                HashSet<string> own = [.. result.Resources.Select(static resource => resource.Uri)];
                foreach ((GatewayForward forward, IReadOnlyList<Resource> listed) in await OfEachAsync(static (forward, ct) => forward.ListResourcesAsync(ct), ct).ConfigureAwait(false))
                {
                    foreach (Resource resource in listed)
                    {
                        result.Resources.Add(IsPlain(forward, resource.Uri, own.Contains(resource.Uri))
                            ? resource
                            : GatewayForward.With(resource, "uri", QualifiedUri.Compose(forward.ServerId, resource.Uri)));
                    }
                }
            }

            return result;
        };

    public McpRequestHandler<ListResourceTemplatesRequestParams, ListResourceTemplatesResult> FilterTemplateList(
        McpRequestHandler<ListResourceTemplatesRequestParams, ListResourceTemplatesResult> next) => async (request, ct) =>
        {
            ListResourceTemplatesResult result = await OwnListAsync(RequestMethods.ResourcesTemplatesList, next, request, ct).ConfigureAwait(false);
            if (request.Params?.Cursor is null)
            {
                HashSet<string> own = [.. result.ResourceTemplates.Select(static template => template.UriTemplate)];
                foreach ((GatewayForward forward, IReadOnlyList<ResourceTemplate> listed) in await OfEachAsync(static (forward, ct) => forward.ListTemplatesAsync(ct), ct).ConfigureAwait(false))
                {
                    foreach (ResourceTemplate template in listed)
                    {
                        bool isPlain = !QualifiedUri.IsReserved(template.UriTemplate) && !own.Contains(template.UriTemplate)
                            && !Array.Exists(_forwards, other => other != forward && other.Resources.Templates.ContainsKey(template.UriTemplate));
                        result.ResourceTemplates.Add(isPlain
                            ? template
                            : GatewayForward.With(template, "uriTemplate", QualifiedUri.Compose(forward.ServerId, template.UriTemplate)));
                    }
                }
            }

            return result;
        };

    public McpRequestHandler<ReadResourceRequestParams, ReadResourceResult> FilterRead(McpRequestHandler<ReadResourceRequestParams, ReadResourceResult> next)
    {
        McpRequestHandler<ReadResourceRequestParams, ReadResourceResult> own = Judged(RequestMethods.ResourcesRead, next);
        return async (request, ct) =>
        {
            if (request.Params?.Uri is not { } uri || await FindResourceAsync(request.JsonRpcRequest.Method, uri, request.MatchedPrimitive is not null, ct).ConfigureAwait(false) is not { } found)
            {
                return await own(request, ct).ConfigureAwait(false);
            }

            return await PassAsync(request, found.Forward, call => found.Forward.ReadAsync(found.Uri, call, ct), ct).ConfigureAwait(false);
        };
    }

    /// <summary>Whether a listed resource can be named by its URI alone: nobody else offers it.</summary>
    private bool IsPlain(GatewayForward forward, string uri, bool isOwn) =>
        !isOwn && !QualifiedUri.IsReserved(uri) && !Array.Exists(_forwards, other => other != forward && other.Resources.Offers(uri));

    /// <summary>
    /// Whose resource a URI is, and the server's own URI; null where it is the gateway's own. With one server behind and nothing of its own every URI is that
    /// server's, listed or not. Else the one that offers it: two are never chosen between, and what none offers is named by its qualified form only.
    /// </summary>
    private async ValueTask<ResourceSubscription?> FindResourceAsync(string method, string uri, bool isOwn, CancellationToken ct)
    {
        GuardCaller caller = AmbientCaller.Current ?? _nobody;
        if (QualifiedUri.IsReserved(uri))
        {
            foreach (GatewayForward forward in _forwards)
            {
                if (QualifiedUri.TryStrip(forward.ServerId, uri) is { } stripped)
                {
                    return new ResourceSubscription(forward, stripped, IsQualified: true, caller);
                }
            }

            return null;
        }

        if (_forwards.Length == 1 && _own is null)
        {
            return new ResourceSubscription(_forwards[0], uri, IsQualified: false, caller);
        }

        for (int round = 0; round < 2; round++)
        {
            GatewayForward? owner = null;
            foreach (GatewayForward candidate in _forwards)
            {
                if (!await OffersAsync(candidate, uri, anew: round > 0, ct).ConfigureAwait(false))
                {
                    continue;
                }

                if (owner is not null || isOwn)
                {
                    throw await RefuseAsync(
                        method,
                        uri,
                        GuardDenialCodes.NameCollision,
                        "two servers offer a resource of this URI",
                        "More than one server offers a resource of this URI. Name it as it stands in the list of resources, with its server in the scheme.",
                        ct).ConfigureAwait(false);
                }

                owner = candidate;
            }

            if (owner is not null)
            {
                return new ResourceSubscription(owner, uri, IsQualified: false, caller);
            }

            if (isOwn || _forwards.Length == 0)
            {
                return null;
            }
        }

        if (_own is not null)
        {
            return null;
        }

        throw await RefuseAsync(
            method,
            uri,
            GuardDenialCodes.NameCollision,
            "no server lists this resource, and there are several it could be of",
            $"No server lists a resource of this URI. Put the server before it: {QualifiedUri.Compose(_forwards[0].ServerId, "<uri>")}.",
            ct).ConfigureAwait(false);
    }

    private async ValueTask<bool> OffersAsync(GatewayForward forward, string uri, bool anew, CancellationToken ct)
    {
        try
        {
            return (await forward.OfferedAsync(anew, ct).ConfigureAwait(false)).Offers(uri);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // What it offered when it could be asked last is still its own: no other server takes that over by its absence.
            GatewayLog.NotListed(_logger, forward.ServerId, failure);
            return forward.Resources.Offers(uri);
        }
    }

    // ---- completion -------------------------------------------------------------------------------------------------------------------------

    public McpRequestHandler<CompleteRequestParams, CompleteResult> FilterCompletion(McpRequestHandler<CompleteRequestParams, CompleteResult> next)
    {
        McpRequestHandler<CompleteRequestParams, CompleteResult> own = Judged(RequestMethods.CompletionComplete, next);
        return async (request, ct) =>
        {
            switch (request.Params?.Ref)
            {
                case PromptReference prompt:
                    bool isOwnPrompt = request.Server.ServerOptions.PromptCollection?.TryGetPrimitive(prompt.Name, out _) == true;
                    (GatewayForward? forward, string? name) = await FindPromptAsync(request.JsonRpcRequest.Method, prompt.Name, isOwnPrompt, ct).ConfigureAwait(false);
                    if (forward is not null)
                    {
                        return await PassAsync(request, forward, call => forward.CompleteAsync(new PromptReference { Name = name!, Title = prompt.Title }, request.Params, call, ct), ct).ConfigureAwait(false);
                    }

                    break;

                case ResourceTemplateReference { Uri: { } uri }:
                    bool isOwnTemplate = request.Server.ServerOptions.ResourceCollection?.Any(resource => string.Equals(resource.ProtocolResourceTemplate.UriTemplate, uri, StringComparison.Ordinal)) == true;
                    if (await FindResourceAsync(request.JsonRpcRequest.Method, uri, isOwnTemplate, ct).ConfigureAwait(false) is { } found)
                    {
                        return await PassAsync(request, found.Forward, call => found.Forward.CompleteAsync(new ResourceTemplateReference { Uri = found.Uri }, request.Params, call, ct), ct).ConfigureAwait(false);
                    }

                    break;
            }

            return await own(request, ct).ConfigureAwait(false);
        };
    }

    // ---- what they share --------------------------------------------------------------------------------------------------------------------

    /// <summary>The gateway's own part of a list; nothing where the policy does not name the gateway.</summary>
    private async ValueTask<TResult> OwnListAsync<TParams, TResult>(string method, McpRequestHandler<TParams, TResult> next, RequestContext<TParams> request, CancellationToken ct)
        where TResult : Result, new() =>
        _own is null && ForwardsAny ? new TResult() : await Judged(method, next)(request, ct).ConfigureAwait(false);

    private async IAsyncEnumerable<T> OfAllAsync<T>(
        Func<GatewayForward, CancellationToken, Task<IReadOnlyList<T>>> list, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach ((_, IReadOnlyList<T> listed) in await OfEachAsync(list, ct).ConfigureAwait(false))
        {
            foreach (T item in listed)
            {
                yield return item;
            }
        }
    }

    /// <summary>The list of each server, in the order of the options, asked at the same time. One server that is down does not take the others with it.</summary>
    private async Task<List<(GatewayForward Forward, IReadOnlyList<T> Listed)>> OfEachAsync<T>(Func<GatewayForward, CancellationToken, Task<IReadOnlyList<T>>> list, CancellationToken ct)
    {
        Task<IReadOnlyList<T>>[] asked = [.. _forwards.Select(forward => Task.Run(() => list(forward, ct), ct))];
        var all = new List<(GatewayForward, IReadOnlyList<T>)>(asked.Length);
        for (int i = 0; i < asked.Length; i++)
        {
            try
            {
                all.Add((_forwards[i], await asked[i].ConfigureAwait(false)));
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                GatewayLog.NotListed(_logger, _forwards[i].ServerId, failure);
            }
        }

        return all;
    }

    /// <summary>Passes a request on, and its denial or error back, as the error it is.</summary>
    private async ValueTask<TResult> PassAsync<TParams, TResult>(RequestContext<TParams> request, GatewayForward forward, Func<RelayedCall, Task<TResult>> pass, CancellationToken ct)
    {
        GatewayCall call = Begin(request, request.JsonRpcRequest.Context);
        RelayedCall relayed = Relayed(call, request.JsonRpcRequest);
        if (call.CarriesQuestions)
        {
            GatewayCall.Current = null; // only calls of tools outlive their request; of other things nobody can be asked here
        }

        try
        {
            return await pass(relayed).ConfigureAwait(false);
        }
        catch (McpGuardException refused)
        {
            throw new McpProtocolException(refused.Message, McpErrorCode.InvalidRequest);
        }
        catch (McpProtocolException told)
        {
            throw ErrorOf(told);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            GatewayLog.PassedOnFailed(_logger, request.JsonRpcRequest.Method, forward.ServerId, failure);
            throw new McpProtocolException(DenialText.For(GuardDenialCodes.ServerUnavailable, null, null, string.Empty), McpErrorCode.InternalError);
        }
    }

    /// <summary>The server's error, whose text and data the guard has judged, as an error of the gateway.</summary>
    private static McpProtocolException ErrorOf(McpProtocolException told)
    {
        // The client of the SDK puts words of its own before the server's.
        const string remote = "Request failed (remote): ";
        string message = told.Message.StartsWith(remote, StringComparison.Ordinal) ? told.Message[remote.Length..] : told.Message;
        var error = new McpProtocolException(message, told.ErrorCode);
        foreach (System.Collections.DictionaryEntry entry in told.Data)
        {
            error.Data[entry.Key] = entry.Value;
        }

        return error;
    }

    /// <summary>What the server tells of this request goes to whoever made it.</summary>
    private RelayedCall Relayed(GatewayCall call, JsonRpcRequest request)
    {
        JsonNode? token = (request.Params as JsonObject)?["_meta"] is JsonObject meta && meta["progressToken"] is JsonValue given
            && given.GetValueKind() is JsonValueKind.String or JsonValueKind.Number
                ? given
                : null;
        string? level = ((request.Params as JsonObject)?["_meta"] as JsonObject)?["io.modelcontextprotocol/logLevel"] is JsonValue asked && asked.GetValueKind() == JsonValueKind.String
            ? asked.GetValue<string>()
            : null;
        return new RelayedCall(call.Caller, call.Server, GatewaySubscriber.Connection, token, LogLevels.RankOf(level), Runtime.Time);
    }

    private RelayedCall Relayed(GatewayCall call, JsonElement payload)
    {
        JsonNode? token = null;
        int? level = null;
        if (payload.TryGetProperty("_meta"u8, out JsonElement meta) && meta.ValueKind == JsonValueKind.Object)
        {
            token = meta.TryGetProperty("progressToken"u8, out JsonElement given) && given.ValueKind is JsonValueKind.String or JsonValueKind.Number ? JsonValue.Create(given) : null;
            level = meta.TryGetProperty("io.modelcontextprotocol/logLevel"u8, out JsonElement asked) && asked.ValueKind == JsonValueKind.String ? LogLevels.RankOf(asked.GetString()) : null;
        }

        return new RelayedCall(call.Caller, call.Server, GatewaySubscriber.Connection, token, level, Runtime.Time);
    }

    private async ValueTask<McpProtocolException> RefuseAsync(string method, string? target, string code, string reason, string? message, CancellationToken ct)
    {
        GuardCaller caller = AmbientCaller.Current ?? _nobody;
        string decisionId = await RecordAsync(caller, method, target, code, reason, ct).ConfigureAwait(false);
        return Refused(new GuardDenial(code, "gateway", reason, message), decisionId);
    }
}
