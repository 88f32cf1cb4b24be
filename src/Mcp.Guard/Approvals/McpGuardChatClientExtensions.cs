using Mcp.Guard.Approvals;
using Mcp.Guard.Hosting;
using Microsoft.Extensions.AI;

namespace Mcp.Guard;

/// <summary>Lets approvals of <c>Microsoft.Extensions.AI</c> count as consent.</summary>
public static class McpGuardChatClientExtensions
{
    /// <summary>
    /// Goes around a <c>FunctionInvokingChatClient</c> (not beneath it). An approval that this client itself asked for, given in time, for the same call and
    /// by the same caller, becomes a grant for that one call; the transport uses it where the policy asks for consent. What is not used is taken back when the
    /// response has come. An approval admits nothing that the policy denies.
    /// </summary>
    /// <remarks>
    /// Whoever puts a <see cref="ToolApprovalResponseContent"/> into the messages answers for the person: do not let a model or a server do so. The tools
    /// must come from <see cref="IMcpGuard.ListToolsAsync"/> and stand in <see cref="ChatOptions.Tools"/> of the call that asks.
    /// </remarks>
    /// <param name="client">The client that invokes functions.</param>
    /// <param name="guard">The guard of the host.</param>
    /// <exception cref="ArgumentException">The guard is not one that <c>AddMcpGuard</c> made.</exception>
    public static IChatClient WithMcpGuardApprovals(this IChatClient client, IMcpGuard guard)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(guard);
        return guard is McpGuardHost host
            ? new ApprovalChatClient(client, host.Runtime)
            : throw new ArgumentException("The guard must be the one that AddMcpGuard makes.", nameof(guard));
    }

    /// <summary>
    /// What to show a person of a call that waits for approval: the exact tool and server, all arguments in the guard's display form, what others say quoted and
    /// labelled. Null for a call that does not belong to a guarded connection, or whose arguments the guard refuses.
    /// </summary>
    /// <param name="request">A request that came through <see cref="WithMcpGuardApprovals"/>.</param>
    public static string? GetMcpGuardPrompt(this ToolApprovalRequestContent request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.AdditionalProperties?.TryGetValue(ApprovalChatClient.PromptProperty, out object? text) == true ? text as string : null;
    }
}
