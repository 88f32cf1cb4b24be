using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Policy;
using ModelContextProtocol.Protocol;

namespace Mcp.Guard.Hosting;

/// <summary>The answers that the guard itself gives to requests of a server.</summary>
internal static class ServerAnswers
{
    /// <summary>"No" to an elicitation.</summary>
    public static JsonElement Declined { get; } = JsonDocument.Parse("""{"action":"decline"}""").RootElement;

    public static JsonRpcResponse Empty(RequestId id) => new() { Id = id, Result = new JsonObject() };

    public static JsonRpcError Error(RequestId id, int code, string message) => new() { Id = id, Error = new JsonRpcErrorDetail { Code = code, Message = message } };

    /// <summary>"No" in the form that the method has for it: an elicitation is declined, sampling is rejected as by the user.</summary>
    public static JsonRpcMessage Refusal(RequestId id, string method) =>
        string.Equals(method, MethodTable.Elicitation, StringComparison.Ordinal)
            ? new JsonRpcResponse { Id = id, Result = new JsonObject { ["action"] = "decline" } }
            : Error(id, -1, "The request was rejected.");

    /// <summary>The roots of the policy, and nothing else.</summary>
    public static JsonRpcResponse Roots(RequestId id, ServerSettings? settings) => new() { Id = id, Result = RootsResult(settings) };

    public static JsonObject RootsResult(ServerSettings? settings)
    {
        var roots = new JsonArray();
        foreach (GuardRoot root in settings?.Roots ?? [])
        {
            roots.Add((JsonNode)new JsonObject { ["uri"] = FileUri(root.Path), ["name"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(root.Path)) });
        }

        return new JsonObject { ["roots"] = roots };
    }

    /// <summary>One root as the SDK has it.</summary>
    public static Root RootOf(GuardRoot root) => new() { Uri = FileUri(root.Path), Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(root.Path)) };

    private static string FileUri(string path) => new UriBuilder(Uri.UriSchemeFile, string.Empty) { Path = path }.Uri.AbsoluteUri;
}
