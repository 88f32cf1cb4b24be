using System.Text;
using System.Text.Json;
using Mcp.Guard.Pipeline;

namespace Mcp.Guard.Tests.Stages.ServerRequests;

/// <summary>Requests of a server as the stages see them, without a server.</summary>
internal static class AskedContext
{
    public const string Sampling = "sampling/createMessage";
    public const string Elicitation = "elicitation/create";

    public static GuardFixture Guard(string sampling = """{"allow":true}""", string elicitation = """{"allow":true}""", params (string Key, string Value)[] more) => new(server =>
    {
        server.Allow("echo", "echo").With("sampling", sampling).With("elicitation", elicitation);
        foreach (var (key, value) in more)
        {
            server.With(key, value);
        }
    });

    public static ServerRequestContext Of(GuardFixture guard, string method, string payload, GuardCaller? caller = null, string? call = """{"name":"echo"}""", bool isCertain = true)
    {
        GuardConnection connection = guard.Guard.OpenConnection("test");
        caller ??= new GuardCaller("ada", "s1");
        RequestContext? cause = call is null ? null : (RequestContext)connection.CreateRequest("tools/call", Encoding.UTF8.GetBytes(call), caller);
        return new ServerRequestContext(connection.State, cause, caller, "decision", method, JsonElement.Parse(payload)) { IsCallCertain = isCertain };
    }

    public static async Task<GuardDecision> JudgeAsync(this IGuardStage<ServerRequestContext> stage, ServerRequestContext context) => await stage.EvaluateAsync(context, CancellationToken.None);
}
