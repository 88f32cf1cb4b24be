using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>Servers whose tool asks the host something before it ends, in both protocol eras. What they are told stands in the result of the tool.</summary>
internal static class AskingServer
{
    public const string Sessions = "2025-11-25";
    public const string Stateless = "2026-07-28";

    public const string Form = """{"type":"object","properties":{"name":{"type":"string","maxLength":20},"size":{"type":"integer","minimum":1}},"required":["name"]}""";

    /// <summary>The id of the server's request, or its key in the result.</summary>
    public const string Key = "q1";

    public static RawServer Create(string version, string method, JsonObject parameters) => new()
    {
        ProtocolVersion = version,
        OnCall = (request, raw, _) => version == Stateless ? AskInResult(request, raw, method, parameters) : AskByMessageAsync(request, raw, method, parameters),
    };

    /// <summary>What the server was told by message; null where it was told nothing yet.</summary>
    public static JsonRpcMessage? ToldOf(RawServer raw, string id = Key) =>
        raw.Received.FirstOrDefault(message => message is JsonRpcResponse or JsonRpcError && ((JsonRpcMessageWithId)message).Id.Equals(new RequestId(id)));

    public static JsonObject Elicitation(string schema = Form, string message = "Which one?") =>
        new() { ["message"] = message, ["requestedSchema"] = JsonNode.Parse(schema) };

    public static JsonObject Url(string url, string message = "Please sign in") =>
        new() { ["mode"] = "url", ["message"] = message, ["url"] = url, ["elicitationId"] = "e-1" };

    public static JsonObject Sampling(string text = "What is this?") => new()
    {
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = new JsonObject { ["type"] = "text", ["text"] = text } }),
        ["maxTokens"] = 50,
    };

    public static void Ask(RawServer raw, string method, JsonObject parameters, string id = Key) =>
        raw.Send(new JsonRpcRequest { Id = new RequestId(id), Method = method, Params = parameters.DeepClone() });

    private static async Task AskByMessageAsync(JsonRpcRequest request, RawServer raw, string method, JsonObject parameters)
    {
        Ask(raw, method, parameters);
        await Eventually.True(() => ToldOf(raw) is not null);
        raw.Reply(request.Id, RawServer.TextResult(ToldOf(raw) switch
        {
            JsonRpcResponse told => told.Result!.ToJsonString(),
            JsonRpcError error => $"error {error.Error.Code} {error.Error.Message}",
            _ => "nothing",
        }));
    }

    private static Task AskInResult(JsonRpcRequest request, RawServer raw, string method, JsonObject parameters)
    {
        raw.Reply(request.Id, request.Params!["inputResponses"] is { } answers
            ? RawServer.TextResult(answers[Key]!.ToJsonString())
            : new JsonObject
            {
                ["resultType"] = "input_required",
                ["inputRequests"] = new JsonObject { [Key] = new JsonObject { ["method"] = method, ["params"] = parameters.DeepClone() } },
                ["requestState"] = "s",
            });
        return Task.CompletedTask;
    }
}
