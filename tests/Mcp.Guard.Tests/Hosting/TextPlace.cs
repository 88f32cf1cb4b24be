using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Tests.Hosting;

/// <summary>One place where text of a server flows towards the model, and what a hostile server does to put a text there.</summary>
internal sealed record TextPlace(string Name, string Method, JsonObject? Parameters, Func<JsonRpcRequest, string, RawServer, Task> Answer)
{
    /// <summary>Whether the guard may also refuse or drop the message instead of cleaning it.</summary>
    public bool MayBeRefused { get; init; }

    public static IEnumerable<TextPlace> All =>
    [
        .. Call("text block", text => Blocks(Block("text", ("text", text)))),
        .. Call("two text blocks", text => Blocks(Block("text", ("text", "plain")), Block("text", ("text", text)))),
        .. Call("text of an error result", text => With(Blocks(Block("text", ("text", text))), "isError", true)),
        .. Call("structured value", text => With(Blocks(), "structuredContent", new JsonObject { ["a"] = text })),
        .. Call("structured key", text => With(Blocks(), "structuredContent", new JsonObject { [text] = "a" })),
        .. Call("structured, deep", text => With(Blocks(), "structuredContent", new JsonObject { ["a"] = new JsonArray(1, new JsonObject { ["b"] = new JsonArray(text) }) })),
        .. Call("structured, shaped like an image", text => With(Blocks(), "structuredContent", Block("image", ("data", text), ("mimeType", "image/png")))),
        .. Call("embedded resource text", text => Blocks(Block("resource", ("resource", Object(("uri", "test://a"), ("text", text)))))),
        .. Call("embedded resource uri", text => Blocks(Block("resource", ("resource", Object(("uri", text), ("text", "a")))))),
        .. Call("embedded resource type", text => Blocks(Block("resource", ("resource", Object(("uri", "test://a"), ("mimeType", text), ("text", "a")))))),
        .. Call("embedded resource meta", text => Blocks(Block("resource", ("resource", Object(("uri", "test://a"), ("text", "a"), ("_meta", Object(("k", text)))))))),
        .. Call("embedded resource blob", text => Blocks(Block("resource", ("resource", Object(("uri", "test://a"), ("blob", text))))), mayBeRefused: true),
        .. Call("link name", text => Blocks(Block("resource_link", ("uri", "test://a"), ("name", text)))),
        .. Call("link title", text => Blocks(Block("resource_link", ("uri", "test://a"), ("name", "a"), ("title", text)))),
        .. Call("link description", text => Blocks(Block("resource_link", ("uri", "test://a"), ("name", "a"), ("description", text)))),
        .. Call("link uri", text => Blocks(Block("resource_link", ("uri", text), ("name", "a")))),
        .. Call("annotation of a block", text => Blocks(Block("text", ("text", "a"), ("annotations", Object(("x", text)))))),
        .. Call("meta value of a block", text => Blocks(Block("text", ("text", "a"), ("_meta", Object(("k", text)))))),
        .. Call("meta key of a block", text => Blocks(Block("text", ("text", "a"), ("_meta", Object((text, "v")))))),
        .. Call("meta of the result, known key", text => With(Blocks(), "_meta", Object(("traceparent", text)))),
        .. Call("meta of the result, unknown key", text => With(Blocks(), "_meta", Object((text, text))), mayBeRefused: true),
        .. Call("type of an image", text => Blocks(Block("image", ("data", "AAAA"), ("mimeType", text))), mayBeRefused: true),
        .. Call("data of an image", text => Blocks(Block("image", ("data", text), ("mimeType", "image/png"))), mayBeRefused: true),
        .. Call("data of a sound", text => Blocks(Block("audio", ("data", text), ("mimeType", "audio/wav"))), mayBeRefused: true),
        .. Call("extra member of an image", text => Blocks(Block("image", ("data", Png), ("mimeType", "image/png"), ("alt", text)))),
        .. Call("text of an image block", text => Blocks(Block("image", ("data", Png), ("mimeType", "image/png"), ("text", text)))),
        .. Call("block of an unknown type", text => Blocks(Block("hologram", ("text", text), ("data", text)))),
        .. Call("type of a block", text => Blocks(Block(text, ("text", "a")))),
        .. Call("name of a member of the result", text => With(Blocks(), text, "a")),
        .. Error("error message", text => new JsonRpcErrorDetail { Code = -32000, Message = text }),
        .. Error("error data", text => new JsonRpcErrorDetail { Code = -32000, Message = "a", Data = JsonSerializer.SerializeToElement(text) }),
        .. Error("error data, deep", text => new JsonRpcErrorDetail { Code = -32000, Message = "a", Data = Element(new JsonObject { ["a"] = new JsonArray(text) }) }),
        .. Error("error data, key", text => new JsonRpcErrorDetail { Code = -32000, Message = "a", Data = new JsonObject { [text] = 1 } }),
        .. Error("error data, shaped like a result", text => new JsonRpcErrorDetail
        {
            Code = -32000,
            Message = "a",
            Data = Element(Blocks(Block("image", ("data", text), ("mimeType", "image/png")))),
        }),
        .. Read("resource text", text => Object(("uri", "test://a"), ("text", text))),
        .. Read("resource uri", text => Object(("uri", text), ("text", "a"))),
        .. Read("resource type", text => Object(("uri", "test://a"), ("mimeType", text), ("text", "a"))),
        .. Read("resource meta", text => Object(("uri", "test://a"), ("text", "a"), ("_meta", Object(("k", text))))),
        .. Read("resource blob", text => Object(("uri", "test://a"), ("blob", text)), mayBeRefused: true),
        .. Get("prompt description", text => With(Messages("a"), "description", text)),
        .. Get("prompt message", text => Messages(text)),
        .. Get("prompt role", text => Object(("messages", new JsonArray(Object(("role", text), ("content", Block("text", ("text", "a")))))))),
        .. Get("prompt resource", text => Object(("messages", new JsonArray(Object(("role", "user"), ("content", Block("resource", ("resource", Object(("uri", "test://a"), ("text", text)))))))))),
        .. Reply("completion", "completion/complete", Parse("""{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"}}"""), text => Parse("""{"completion":{"values":[]}}""", text, "completion", "values")),
        .. Tools("title of a tool", (tool, text) => tool["title"] = text),
        .. Tools("description of a tool", (tool, text) => tool["description"] = text),
        .. Tools("title in annotations", (tool, text) => tool["annotations"] = Object(("title", text))),
        .. Tools("description of a parameter", (tool, text) => tool["inputSchema"]!["properties"] = Object(("p", Object(("type", "string"), ("description", text))))),
        .. Tools("default of a parameter", (tool, text) => tool["inputSchema"]!["properties"] = Object(("p", Object(("type", "string"), ("default", text))))),
        .. Tools("choice of a parameter", (tool, text) => tool["inputSchema"]!["properties"] = Object(("p", Object(("enum", new JsonArray(text)))))),
        .. Tools("meta of a tool", (tool, text) => tool["_meta"] = Object(("k", text))),
        .. Tools("name of a tool", (tool, text) => tool["name"] = text, mayBeRefused: true),
        .. Tools("name of a parameter", (tool, text) => tool["inputSchema"]!["properties"] = Object((text, Object(("type", "string")))), mayBeRefused: true),
        .. Listed("title of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("title", text))),
        .. Listed("description of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("description", text))),
        .. Listed("title of an argument of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("arguments", new JsonArray(Object(("name", "a"), ("title", text)))))),
        .. Listed("description of an argument of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("arguments", new JsonArray(Object(("name", "a"), ("description", text)))))),
        .. Listed("meta of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("_meta", Object(("k", text))))),
        .. Listed("name of a prompt", "prompts/list", "prompts", text => Object(("name", text)), mayBeRefused: true),
        .. Listed("name of an argument of a prompt", "prompts/list", "prompts", text => Object(("name", "p"), ("arguments", new JsonArray(Object(("name", text))))), mayBeRefused: true),
        .. Listed("title of a resource", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", "a"), ("title", text))),
        .. Listed("description of a resource", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", "a"), ("description", text))),
        .. Listed("type of a resource in a list", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", "a"), ("mimeType", text))),
        .. Listed("annotation of a resource", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", "a"), ("annotations", Object(("x", text))))),
        .. Listed("meta of a resource in a list", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", "a"), ("_meta", Object(("k", text))))),
        .. Listed("name of a resource", "resources/list", "resources", text => Object(("uri", "test://a"), ("name", text)), mayBeRefused: true),
        .. Listed("uri of a resource", "resources/list", "resources", text => Object(("uri", text), ("name", "a")), mayBeRefused: true),
        .. Listed("title of a template", "resources/templates/list", "resourceTemplates", text => Object(("uriTemplate", "test://{a}"), ("name", "a"), ("title", text))),
        .. Listed("description of a template", "resources/templates/list", "resourceTemplates", text => Object(("uriTemplate", "test://{a}"), ("name", "a"), ("description", text))),
        .. Listed("name of a template", "resources/templates/list", "resourceTemplates", text => Object(("uriTemplate", "test://{a}"), ("name", text)), mayBeRefused: true),
        .. Listed("uri of a template", "resources/templates/list", "resourceTemplates", text => Object(("uriTemplate", text), ("name", "a")), mayBeRefused: true),
        .. Notification("log text", "notifications/message", text => Object(("level", "error"), ("data", text))),
        .. Notification("log data", "notifications/message", text => Object(("level", "error"), ("data", new JsonArray(Object((text, "a")))))),
        .. Notification("logger", "notifications/message", text => Object(("level", "error"), ("logger", text), ("data", "a"))),
        .. Notification("progress message", "notifications/progress", text => Object(("progressToken", "t-1"), ("progress", 1), ("message", text))),
        .. Notification("extra member of progress", "notifications/progress", text => Object(("progressToken", "t-1"), ("progress", 1), (text, "a"))),
        .. Notification("reason of a cancellation", "notifications/cancelled", text => Object(("requestId", "x"), ("reason", text))),
        .. Notification("extra member of a list change", "notifications/tools/list_changed", text => Object(("x", text))),
        .. Notification("extra member of a prompt change", "notifications/prompts/list_changed", text => Object(("x", text))),
        .. Notification("meta of a notification", "notifications/resources/list_changed", text => Object(("_meta", Object(("tracestate", text))))),
        .. Notification("update of a resource", "notifications/resources/updated", text => Object(("uri", "test://s"), ("title", text))),
        .. Notification("unknown notification", "notifications/strange", text => Object(("x", text)), mayBeRefused: true),
        .. Reply("log level", "logging/setLevel", Object(("level", "info")), text => Object(("x", text))),
        .. Reply("ping", "ping", Object(), text => Object(("x", text))),
        .. Reply("subscription", "resources/subscribe", Object(("uri", "test://s")), text => Object(("x", text))),
    ];

    private static string Png => "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    public override string ToString() => Name;

    private static IEnumerable<TextPlace> Call(string name, Func<string, JsonObject> result, bool mayBeRefused = false) =>
        Reply(name, "tools/call", Object(("name", "echo"), ("arguments", new JsonObject())), result, mayBeRefused);

    private static IEnumerable<TextPlace> Read(string name, Func<string, JsonObject> content, bool mayBeRefused = false) =>
        Reply(name, "resources/read", Object(("uri", "test://a")), text => Object(("contents", new JsonArray(content(text)))), mayBeRefused);

    private static IEnumerable<TextPlace> Get(string name, Func<string, JsonObject> result) => Reply(name, "prompts/get", Object(("name", "p")), result);

    private static IEnumerable<TextPlace> Reply(string name, string method, JsonObject parameters, Func<string, JsonObject> result, bool mayBeRefused = false) =>
    [
        new(name, method, parameters, (request, text, server) =>
        {
            server.Reply(request.Id, result(text));
            return Task.CompletedTask;
        })
        { MayBeRefused = mayBeRefused },
    ];

    private static IEnumerable<TextPlace> Listed(string name, string method, string list, Func<string, JsonObject> item, bool mayBeRefused = false) =>
        Reply(name, method, Object(), text => Object((list, new JsonArray(item(text)))), mayBeRefused);

    private static IEnumerable<TextPlace> Error(string name, Func<string, JsonRpcErrorDetail> error)
    {
        foreach ((string method, JsonObject parameters) in ((string, JsonObject)[])
            [("tools/call", Object(("name", "echo"))), ("resources/read", Object(("uri", "test://a"))), ("prompts/get", Object(("name", "p"))), ("tools/list", Object())])
        {
            yield return new(name + " of " + method, method, parameters, (request, text, server) =>
            {
                server.Send(new JsonRpcError { Id = request.Id, Error = error(text) });
                return Task.CompletedTask;
            });
        }
    }

    private static IEnumerable<TextPlace> Tools(string name, Action<JsonObject, string> change, bool mayBeRefused = false) =>
        Reply(
            name,
            "tools/list",
            Object(),
            text =>
            {
                JsonObject tool = RawServer.Tool("echo");
                change(tool, text);
                return Object(("tools", new JsonArray(tool)));
            },
            mayBeRefused);

    private static IEnumerable<TextPlace> Notification(string name, string method, Func<string, JsonObject> parameters, bool mayBeRefused = false) =>
    [
        new(name, "tools/call", Object(("name", "echo"), ("_meta", Object(("progressToken", "t-1")))), async (request, text, server) =>
        {
            server.Send(new JsonRpcNotification { Method = method, Params = parameters(text) });
            await Task.Yield();
            server.Reply(request.Id, RawServer.TextResult("done"));
        })
        { MayBeRefused = mayBeRefused },
    ];

    private static JsonObject Blocks(params JsonObject[] blocks) => Object(("content", new JsonArray([.. blocks])));

    private static JsonObject Messages(string text) => Object(("messages", new JsonArray(Object(("role", "user"), ("content", Block("text", ("text", text)))))));

    private static JsonObject Block(string type, params (string Name, JsonNode Value)[] members) => Object([("type", type), .. members]);

    private static JsonObject Object(params (string Name, JsonNode Value)[] members)
    {
        var made = new JsonObject();
        foreach ((string name, JsonNode value) in members)
        {
            made.Add(name, value.DeepClone());
        }

        return made;
    }

    private static JsonObject With(JsonObject result, string name, JsonNode value)
    {
        result.Add(name, value);
        return result;
    }

    private static JsonElement Element(JsonObject value) => JsonDocument.Parse(value.ToJsonString()).RootElement;

    private static JsonObject Parse(string json, string? item = null, string? first = null, string? second = null)
    {
        JsonObject parsed = JsonNode.Parse(json)!.AsObject();
        if (item is not null)
        {
            parsed[first!]![second!]!.AsArray().Add((JsonNode)item);
        }

        return parsed;
    }
}
