using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mcp.Guard.Hosting;
using Mcp.Guard.Json;
using Mcp.Guard.Pipeline;
using Mcp.Guard.Stages.Consent;
using Mcp.Guard.Stages.Redaction;
using Microsoft.Extensions.AI;

namespace Mcp.Guard.Approvals;

/// <summary>
/// Remembers what the client inside asked a person to approve, and turns each matching approval into a grant for that one call, for as long as the response
/// takes. Everything else that looks like an approval has no effect here.
/// </summary>
internal sealed class ApprovalChatClient(IChatClient inner, GuardRuntime runtime) : DelegatingChatClient(inner)
{
    public const string PromptProperty = "mcp-guard.prompt";

    private readonly PendingApprovals _pending = new();

    /// <summary>Questions that have no answer yet.</summary>
    public int PendingCount => _pending.Count;

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IList<ChatMessage> given = messages as IList<ChatMessage> ?? [.. messages];
        List<string> grants = await GrantAsync(given, cancellationToken).ConfigureAwait(false);
        try
        {
            ChatResponse response = await base.GetResponseAsync(given, options, cancellationToken).ConfigureAwait(false);
            foreach (ChatMessage message in response.Messages)
            {
                await NoteAsync(message.Contents, options, cancellationToken).ConfigureAwait(false);
            }

            return response;
        }
        finally
        {
            await RevokeAsync(grants).ConfigureAwait(false);
        }
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IList<ChatMessage> given = messages as IList<ChatMessage> ?? [.. messages];
        List<string> grants = await GrantAsync(given, cancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (ChatResponseUpdate update in base.GetStreamingResponseAsync(given, options, cancellationToken).ConfigureAwait(false))
            {
                await NoteAsync(update.Contents, options, cancellationToken).ConfigureAwait(false);
                yield return update;
            }
        }
        finally
        {
            await RevokeAsync(grants).ConfigureAwait(false);
        }
    }

    // ---- what is asked ----------------------------------------------------------------------------------------------------------------------

    private async ValueTask NoteAsync(IList<AIContent> contents, ChatOptions? options, CancellationToken ct)
    {
        foreach (AIContent content in contents)
        {
            if (content is not ToolApprovalRequestContent { ToolCall: FunctionCallContent call } request || IsMerelyFormal(request) || FunctionOf(options, call.Name) is not { } function)
            {
                continue;
            }

            GuardCaller? asker = AmbientCaller.Current;
            if (ContextOf(function, call, asker) is not { } context || Digest(context) is not { } digest)
            {
                continue; // the transport will refuse it: nothing to approve
            }

            context.AskReasons = [new GuardAskReason("approval", "approval", "the policy can ask about this tool")];
            context.Entry = function.Connection.Tools.Find(function.ToolName);
            var subject = new ConsentSubject(context);
            DateTimeOffset now = runtime.Time.GetUtcNow();
            try
            {
                await runtime.Pipeline.Audit.WriteConsentAsync(context, "asked", "approval of a chat client", null, ct).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
            {
                PipelineLog.AuditFailed(runtime.Pipeline.Logger, AuditKind.Consent, context.DecisionId, failure);
                continue; // no question without its record, and so no grant
            }

            request.AdditionalProperties ??= [];
            request.AdditionalProperties[PromptProperty] = ConsentText.Of(runtime.Consent.Describe(subject));
            _pending.Add(
                request.RequestId,
                new PendingApproval(function, context, ConsentService.BindingOf(subject, digest), call.CallId, asker, now + context.Settings!.Limits.ConsentTimeout),
                now);
        }
    }

    /// <summary>A request that exists only because another tool of the same response needs approval: hosts may answer it without a person.</summary>
    private static bool IsMerelyFormal(ToolApprovalRequestContent request)
    {
#pragma warning disable MEAI001 // Experimental in Microsoft.Extensions.AI; ignoring it would take a host's automatic answer for a person's.
        return !request.RequiresConfirmation;
#pragma warning restore MEAI001
    }

    private static GuardedAIFunction? FunctionOf(ChatOptions? options, string name)
    {
        foreach (AITool tool in options?.Tools ?? [])
        {
            if (string.Equals(tool.Name, name, StringComparison.Ordinal))
            {
                return tool.GetService<GuardedAIFunction>();
            }
        }

        return null;
    }

    /// <summary>The call as it would reach the transport.</summary>
    private static RequestContext? ContextOf(GuardedAIFunction function, FunctionCallContent call, GuardCaller? asker)
    {
        RequestContext context = function.Connection.CreateRequest(MethodTable.ToolsCall, asker ?? function.Connection.ConnectionCaller);
        var parameters = new JsonObject { ["name"] = function.ToolName };
        try
        {
            if (call.Arguments is { } given)
            {
                var arguments = new JsonObject();
                foreach (var (name, value) in given)
                {
                    arguments[name] = JsonSerializer.SerializeToNode(value, function.JsonSerializerOptions.GetTypeInfo(typeof(object)));
                }

                parameters["arguments"] = arguments;
            }
            else
            {
                parameters["arguments"] = new JsonObject();
            }
        }
        catch (Exception unreadable) when (unreadable is JsonException or NotSupportedException or ArgumentException or InvalidOperationException)
        {
            return null;
        }

        if (context.Settings is null || !MessageSnapshot.TryTakeRequest(parameters, out RequestPayload payload, out _))
        {
            return null;
        }

        context.SetPayload(payload);
        ArgumentRedaction.Apply(context);
        return context.Fault is null && context.Refusal is null ? context : null;
    }

    private static string? Digest(RequestContext context) => context.ArgumentsDigestOrNull;

    // ---- what is answered -------------------------------------------------------------------------------------------------------------------

    private async ValueTask<List<string>> GrantAsync(IList<ChatMessage> messages, CancellationToken ct)
    {
        var grants = new List<string>();
        try
        {
            foreach (ChatMessage message in messages)
            {
                foreach (AIContent content in message.Contents)
                {
                    if (content is ToolApprovalResponseContent response
                        && message.Role == ChatRole.User
                        && _pending.Take(response.RequestId, AmbientCaller.Current) is { } asked
                        && await AnswerAsync(asked, response, ct).ConfigureAwait(false) is { } grant)
                    {
                        grants.Add(grant);
                    }
                }
            }
        }
        catch
        {
            await RevokeAsync(grants).ConfigureAwait(false);
            throw;
        }

        return grants;
    }

    private async ValueTask<string?> AnswerAsync(PendingApproval asked, ToolApprovalResponseContent response, CancellationToken ct)
    {
        (string decision, string? reason) = Judge(asked, response);
        try
        {
            await runtime.Pipeline.Audit.WriteConsentAsync(asked.Call, decision, reason, "chat client: " + asked.Call.Caller.UserId, ct).ConfigureAwait(false);
            return string.Equals(decision, "allow-once", StringComparison.Ordinal)
                ? await runtime.Consent.GrantOnceAsync(asked.Binding, TimeSpan.FromMinutes(5), ct).ConfigureAwait(false)
                : null;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // Without its record, or without a store that keeps it, an approval is none: the transport asks or denies.
            PipelineLog.AuditFailed(runtime.Pipeline.Logger, AuditKind.Consent, asked.Call.DecisionId, failure);
            return null;
        }
    }

    private (string Decision, string? Reason) Judge(PendingApproval asked, ToolApprovalResponseContent response)
    {
        if (!response.Approved)
        {
            return ("deny", "a person said no");
        }

        if (runtime.Time.GetUtcNow() >= asked.ExpiresAt)
        {
            return ("timeout", "no answer in time");
        }

        return response.ToolCall is FunctionCallContent call && IsSameCall(asked, call)
            ? ("allow-once", null)
            : ("deny", "the answer is for another call");
    }

    private static bool IsSameCall(PendingApproval asked, FunctionCallContent call) =>
        string.Equals(call.CallId, asked.CallId, StringComparison.Ordinal)
        && string.Equals(call.Name, asked.Function.Name, StringComparison.Ordinal)
        && ContextOf(asked.Function, call, asked.Asker) is { } context
        && string.Equals(Digest(context), asked.Binding.ArgumentsDigest, StringComparison.Ordinal);

    private async ValueTask RevokeAsync(List<string> grants)
    {
        foreach (string grant in grants)
        {
            await runtime.Consent.RevokeAsync(grant).ConfigureAwait(false);
        }
    }
}
